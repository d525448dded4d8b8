/** Any tree of routers: names add up, what is asked for adds up, and nothing is given up on the way in. */

import * as fc from "fast-check";
import { MCPRouter, MCPServer, authenticate, hasAllRoles } from "gantry-mcp";
import { type RequestError, TestClient, type ToolCallError } from "gantry-mcp/testing";
import { expect, test } from "vitest";

const SEED = Number(process.env["PROPERTY_SEED"] ?? 20_260_728);
const ROLES = ["a", "b", "c"] as const;

/** What one place asks of callers. */
interface Asked {
  readonly auth: boolean;
  readonly anyOf: readonly string[];
  readonly allOf: readonly string[];
}

interface Tool extends Asked {
  readonly public: boolean;
}

interface Tree {
  readonly prefix: string | undefined;
  readonly includePrefix: string | undefined;
  readonly asked: Asked;
  readonly tools: readonly Tool[];
  readonly children: readonly Tree[];
  /** Whether it is included before anything is registered on it. */
  readonly early: boolean;
}

const sometimes = <T>(arbitrary: fc.Arbitrary<T>, otherwise: T) =>
  fc.oneof({ arbitrary: fc.constant(otherwise), weight: 3 }, { arbitrary, weight: 1 });
const roles = sometimes(fc.subarray<string>([...ROLES], { minLength: 1 }), []);
const asked = fc.record({ auth: sometimes(fc.constant(true), false), anyOf: roles, allOf: roles });
const NOTHING: Asked = { auth: false, anyOf: [], allOf: [] };
const tool: fc.Arbitrary<Tool> = fc.oneof(
  { arbitrary: asked.map((own) => ({ ...own, public: false })), weight: 5 },
  { arbitrary: fc.constant({ ...NOTHING, public: true }), weight: 1 },
);
const prefix = fc.option(fc.constantFrom("p", "q", "v1"), { nil: undefined });
const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.record({
    prefix,
    includePrefix: prefix,
    asked,
    tools: fc.array(tool, { maxLength: 2 }),
    children: fc.oneof({ maxDepth: 3 }, fc.constant([]), fc.array(tie("tree"), { maxLength: 2 })),
    early: fc.boolean(),
  }),
}));

const options = ({ auth, anyOf, allOf }: Asked) => ({
  ...(auth && { auth: true as const }),
  ...(anyOf.length > 0 && { roles: anyOf }),
  ...(allOf.length > 0 && { guards: [hasAllRoles(...allOf)] }),
});
const asksNothing = ({ auth, anyOf, allOf }: Asked) => !auth && anyOf.length === 0 && allOf.length === 0;

interface Expected {
  readonly name: string;
  /** What is asked for around it, and by itself. */
  readonly all: readonly Asked[];
  readonly isPublic: boolean;
}

/** What the rules say, without routers. */
function expected(
  node: Tree,
  names: readonly string[],
  around: readonly Asked[],
  ids: Iterator<number>,
): Expected[] {
  const here = [...names, ...[node.includePrefix, node.prefix].filter((each) => each !== undefined)];
  const all = [...around, node.asked];
  return [
    ...node.tools.map((own) => ({
      name: [...here, `tool${ids.next().value}`].join("_"),
      all: [...all, own],
      isPublic: own.public,
    })),
    ...node.children.flatMap((child) => expected(child, here, all, ids)),
  ];
}

function* counted(): Generator<number> {
  for (let id = 0; ; id++) yield id;
}

function build(node: Tree, into: MCPServer | MCPRouter, ids: Iterator<number>): void {
  const router = new MCPRouter({
    ...(node.prefix !== undefined && { prefix: node.prefix }),
    ...options(node.asked),
  });
  const include = () =>
    into.include(router, node.includePrefix === undefined ? {} : { prefix: node.includePrefix });
  if (node.early) include();
  for (const own of node.tools) {
    const access = own.public ? { public: true as const } : options(own);
    router.tool(`tool${ids.next().value}`, { description: "A tool.", ...access }, () => "ran");
  }
  for (const child of node.children) build(child, router, ids);
  if (!node.early) include();
}

/** Whether somebody with these roles may call; `undefined` is somebody unknown. */
function mayCall(
  { all }: Expected,
  own: readonly string[] | undefined,
  isPrivate: boolean,
  isPublic: boolean,
): boolean {
  if (!own) return isPublic || (!isPrivate && all.every(asksNothing));
  return all.every(
    ({ anyOf, allOf }) =>
      (anyOf.length === 0 || anyOf.some((role) => own.includes(role))) &&
      allOf.every((role) => own.includes(role)),
  );
}

/** What is said of a set-up that cannot be; nothing where it can. */
function refusal(make: () => void): string {
  try {
    make();
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}

const CALLERS = [undefined, "", "a", "b", "c", "a.b", "a.c", "a.b.c"];

test("any tree of routers", { timeout: 1_200_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(tree, { minLength: 1, maxLength: 2 }),
      fc.boolean(),
      async (trees, optional) => {
        const ids = counted();
        const wanted = trees.flatMap((each) => expected(each, [], [], ids));
        const contradiction = wanted.some(({ isPublic, all }) => isPublic && !all.every(asksNothing));
        const server = new MCPServer({ name: "tree", version: "1.0.0" }).use(
          authenticate(
            {
              authenticate: ({ token }) =>
                token === undefined ? undefined : { clientId: "caller", roles: token.slice(1).split(".") },
            },
            { optional },
          ),
        );
        const more = counted();
        const make = () => {
          for (const each of trees) build(each, server, more);
        };
        expect(refusal(make)).toMatch(contradiction ? /is public within a router that asks who calls/ : /^$/);
        if (contradiction) return;

        for (const caller of CALLERS) {
          const own = caller?.split(".");
          const client = await TestClient.connect(server, {
            ...(caller !== undefined && { headers: { authorization: `Bearer _${caller}` } }),
          }).catch((error: unknown) => error);
          const may = wanted
            .filter((each) => mayCall(each, own, !optional, each.isPublic))
            .map(({ name }) => name);
          // Where nothing is open, a stranger does not even get in.
          const mayEnter = own !== undefined || may.length > 0;
          expect(mayEnter && !(client instanceof TestClient)).toBe(false);
          if (!(client instanceof TestClient)) continue;
          const listed = (await client.listTools()).map(({ name }) => name);
          expect(listed.toSorted()).toEqual(may.toSorted());
          for (const { name } of wanted) {
            const ran = await client.call(name).then(
              () => true,
              (error: unknown) => {
                const { code, status } = error as Partial<ToolCallError & RequestError>;
                expect([code, status]).toSatisfy(([is, http]) => is === "ACCESS_DENIED" || http === 401);
                return false;
              },
            );
            expect([name, ran]).toEqual([name, may.includes(name)]);
          }
        }
      },
    ),
    { seed: SEED, numRuns: Number(process.env["PROPERTY_RUNS"] ?? 60) },
  );
});
