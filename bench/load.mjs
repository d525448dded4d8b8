// The load: keep-alive connections over plain sockets, one request at a time on each, a fixed number of requests in
// all. It reads no more of an answer than its status and its end, so that the server, not the load, is the limit.
import { connect } from "node:net";
import { waited } from "./waited.mjs";

const headEnd = Buffer.from("\r\n\r\n");
const lastChunk = Buffer.from("0\r\n\r\n");

class Connection {
  remaining = 0; // bytes of the body still to come; -1 while a chunked body is being read
  head = null; // an incomplete response head
  tail = Buffer.alloc(0); // the last bytes of a chunked body
  onAnswer = () => {};
  onError = () => {};

  static open(port, request) {
    return new Promise((resolve, reject) => {
      const connection = new Connection();
      connection.request = request;
      const onread = {
        buffer: Buffer.allocUnsafe(256 * 1024),
        callback: (size, buffer) => connection.read(buffer.subarray(0, size)),
      };
      connection.socket = connect({ host: "127.0.0.1", port, noDelay: true, onread }, () =>
        resolve(connection),
      );
      connection.socket.on("error", (error) => {
        reject(error);
        connection.onError(error);
      });
      connection.socket.on("close", () => connection.onError(new Error("The server closed a connection.")));
    });
  }

  send() {
    this.socket.write(this.request);
  }

  close() {
    this.onError = () => {};
    this.socket.destroy();
  }

  read(bytes) {
    if (this.remaining > 0) {
      this.remaining -= bytes.length;
    } else if (this.remaining === -1) {
      this.readChunks(bytes);
    } else {
      this.readHead(bytes);
    }
    if (this.remaining === 0 && this.head === null) this.onAnswer(this);
    return true;
  }

  readHead(bytes) {
    const all = this.head === null ? bytes : Buffer.concat([this.head, bytes]);
    const end = all.indexOf(headEnd);
    if (end === -1) {
      this.head = Buffer.from(all);
      return;
    }
    this.head = null;
    const head = all.latin1Slice(0, end);
    if (!head.startsWith("HTTP/1.1 200")) {
      this.onError(new Error(`The server answered:\n${all.toString()}`));
      return;
    }
    const length = /\r\ncontent-length: (\d+)/i.exec(head);
    if (length === null) {
      this.remaining = -1;
      this.tail = Buffer.alloc(0);
      this.readChunks(all.subarray(end + 4));
    } else {
      this.remaining = Number(length[1]) - (all.length - end - 4);
    }
  }

  // No body of the scenarios contains the terminating chunk's bytes, so its end is where they stand.
  readChunks(bytes) {
    this.tail = Buffer.from(
      bytes.length >= 5 ? bytes.subarray(-5) : Buffer.concat([this.tail, bytes]).subarray(-5),
    );
    if (this.tail.equals(lastChunk)) this.remaining = 0;
  }
}

let connections = [];

/** Sends so many requests, and resolves when the last is answered. */
function exchange(requests) {
  return new Promise((resolve, reject) => {
    let unsent = requests;
    let unanswered = requests;
    const started = process.hrtime.bigint();
    for (const connection of connections) {
      connection.onError = reject;
      connection.onAnswer = () => {
        unanswered -= 1;
        if (unanswered === 0) resolve({ seconds: Number(process.hrtime.bigint() - started) / 1e9 });
        if (unsent === 0) return;
        unsent -= 1;
        connection.send();
      };
    }
    for (const connection of connections.slice(0, requests)) {
      unsent -= 1;
      connection.send();
    }
  });
}

/**
 * Keeps this process awake. Were it asleep, each answer would have to wake it, at the cost of the server that
 * writes the answer: the slower a server, the oftener the load sleeps, and the more its answers would seem to cost.
 */
function spin() {
  const spinning = { next: undefined };
  const turn = () => (spinning.next = setImmediate(turn));
  turn();
  return spinning;
}

const answers = {
  async open({ port, request, count }) {
    connections = await Promise.all(Array.from({ length: count }, () => Connection.open(port, request)));
    return {};
  },
  async go({ requests }) {
    const spinning = spin();
    const before = waited();
    try {
      const answer = await exchange(requests);
      return { ...answer, waited: waited() - before };
    } finally {
      clearImmediate(spinning.next);
    }
  },
  close() {
    for (const connection of connections) connection.close();
    connections = [];
    return {};
  },
};

process.on("message", async ({ id, ask, ...rest }) => {
  try {
    process.send({ id, ...(await answers[ask](rest)) });
  } catch (error) {
    process.send({ id, error: error.stack ?? String(error) });
  }
});
process.on("disconnect", () => process.exit());
