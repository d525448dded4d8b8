// The floor: node:http reads the body, parses it and writes the bytes that Gantry answers in this scenario.
import { createServer } from "node:http";

export async function start(_scenario, { answer }) {
  const server = createServer((request, response) => {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      JSON.parse((chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)).toString());
      response.writeHead(200, { "content-type": answer.contentType, "content-length": answer.body.length });
      response.end(answer.body);
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { port: server.address().port };
}
