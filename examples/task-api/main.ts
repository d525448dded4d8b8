import { ConfigurationError } from "gantry-mcp";
import { howToConnect } from "./connect.ts";
import { readOptions } from "./options.ts";
import { seed } from "./seed.ts";
import { taskServer } from "./server.ts";
import { TaskStore } from "./store.ts";

const options = readOptions();
const store = await TaskStore.open(options.dataDir);
const server = taskServer(store);
server.onStartup(() => {
  if (options.seed && store.isNew()) seed(store);
  console.error(`Tasks are kept in ${options.dataDir}`);
});
server.onShutdown(() => store.close());

try {
  if (options.stdio) {
    await server.run({ transport: "stdio" });
  } else {
    const { url } = await server.run({ transport: "http", host: options.host, port: options.port });
    console.error(howToConnect(url));
  }
} catch (error) {
  if (!(error instanceof ConfigurationError)) throw error;
  console.error(error.message); // such as a port in use: what is wrong, and what to do
  process.exit(1);
}
