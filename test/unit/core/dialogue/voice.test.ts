import { expect, test } from "vitest";
import { Voice } from "../../../../src/core/dialogue/voice.ts";

test("progress that is no number is left out, and what comes after it is not", () => {
  const said: object[] = [];
  const voice = new Voice({ progressToken: "p", say: (_method, params) => said.push(params) });
  for (const done of ["5", NaN, Infinity, -Infinity, undefined, 1])
    voice.progress(done as number, undefined, undefined);
  expect(said).toEqual([{ progressToken: "p", progress: 1 }]);
});
