/** What stands between: a proxy that shares requests out, and one that stops passing anything on. */

import { type Server, createServer as createHttpServer, request } from "node:http";
import { once } from "node:events";
import { type AddressInfo, type Socket, connect, createServer } from "node:net";

export interface Proxy {
  readonly port: number;
  close(): Promise<void>;
}

async function listening(server: Server | ReturnType<typeof createServer>): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/** Sends each HTTP request to the next of `ports`, in turn; where that one is gone, to the one after it. */
export async function roundRobin(ports: () => readonly number[]): Promise<Proxy> {
  let next = 0;
  const server = createHttpServer((incoming, outgoing) => {
    const [all, first] = [ports(), next++];
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const send = (tried: number) => {
        const port = all[(first + tried) % all.length] as number;
        const { method, url: path, headers } = incoming;
        const inner = request({ host: "127.0.0.1", port, method, path, headers, agent: false });
        inner.on("response", (answer) => {
          outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(outgoing);
        });
        inner.on("error", () => {
          if (outgoing.headersSent) outgoing.destroy();
          else if (tried + 1 < all.length) send(tried + 1);
          else outgoing.writeHead(502).end();
        });
        inner.end(Buffer.concat(chunks));
      };
      send(0);
    });
  });
  const port = await listening(server);
  return {
    port,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** A wire to `port` of this machine that can be cut, so that nobody learns of it. */
export async function wire(port: number): Promise<Proxy & { passes: boolean }> {
  const sockets = new Set<Socket>();
  const proxy = { passes: true };
  const server = createServer((near) => {
    const far = connect(port, "127.0.0.1");
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      // Where it does not pass, the ends of connections do not either.
      from.on("data", (chunk) => proxy.passes && to.write(chunk));
      from.on("error", () => {});
      from.on("close", () => {
        sockets.delete(from);
        if (proxy.passes) to.destroy();
      });
    }
  });
  const own = await listening(server);
  return Object.assign(proxy, {
    port: own,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  });
}
