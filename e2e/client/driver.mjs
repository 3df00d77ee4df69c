// The independent Matrix client of the end-to-end tests: one Node process that hosts many
// logged-in clients. It is told what to do by JSON lines on stdin,
//
//   {"id":1,"client":"anna","op":"sendText","args":{"room":"!r:hs","body":"hello"}}
//
// and answers on stdout with {"id":1,"result":…} or {"id":1,"error":{message,errcode,status}},
// in whatever order the operations finish. Between the answers it writes what the clients see:
// {"push":"event","client":"anna",…}; push.mjs has the list. Everything else goes to stderr.
//
// Start here; session.mjs logs in, ops.mjs has the operations, media.mjs the attachments.

import { createInterface } from "node:readline";

// stdout is for the protocol: the SDK and its crypto library log to the console.
for (const level of ["log", "info", "debug", "trace", "warn"]) console[level] = console.error;

const { login, Session } = await import("./session.mjs");
const { operations } = await import("./ops.mjs");

const sessions = new Map();

function write(message) {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

async function run({ client, op, args = {} }) {
  if (op === "login") {
    if (sessions.has(client)) throw new Error(`there is a client named ${client} already`);
    const session = await login(args, (push) => write({ client, ...push }));
    sessions.set(client, session);
    return {};
  }
  const session = sessions.get(client);
  if (!(session instanceof Session)) throw new Error(`no client named ${client}`);
  if (op === "stop" || op === "logout") {
    sessions.delete(client);
    return session.end(op === "logout");
  }
  const operation = operations[op];
  if (!operation) throw new Error(`no operation named ${op}`);
  // What goes into one room is sent in the order it was asked for, whatever its kind.
  if (operation.ordered) return session.inOrder(args.room, () => operation.run(session, args));
  return operation.run(session, args);
}

function failure(error) {
  return {
    message: String(error?.message ?? error),
    errcode: error?.errcode ?? "",
    status: error?.httpStatus ?? 0,
  };
}

process.on("unhandledRejection", (error) => console.error("unhandled rejection:", error));

const lines = createInterface({ input: process.stdin, crlfDelay: Infinity });
lines.on("line", (line) => {
  const command = JSON.parse(line);
  run(command).then(
    (result) => write({ id: command.id, result: result ?? {} }),
    (error) => {
      console.error(`${command.client} ${command.op}:`, error);
      write({ id: command.id, error: failure(error) });
    },
  );
});
lines.on("close", () => process.exit(0)); // whoever started us is gone

write({ push: "ready" });
