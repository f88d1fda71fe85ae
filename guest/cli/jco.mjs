// What `jco run` leaves out: the folders that a command may use, output to pipes, and whether there is a terminal.
//
//     jco run --jco-import guest/cli/jco.mjs dist/urlpool-cli.wasm -o page.html https://example.org/
//
// The folders are those that URLPOOL_DIRS lists, separated as in PATH; without it, the one that the command is run in.

import { writeSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, resolve } from "node:path";
import { argv, env, stderr, stdin, stdout } from "node:process";
import { pathToFileURL } from "node:url";

// The command's own copy of the shim, which need not be the one that is found from here.
const { resolve: find } = createRequire(argv[1]);
const shim = (part) => import(pathToFileURL(find(`@bytecodealliance/preview2-shim/${part}`)));
const cli = await shim("cli");
const { _addPreopen, types } = await shim("filesystem");

// By itself the shim takes everything for a terminal, so that progress and colours end up in pipes and files.
if (!stdin.isTTY) cli._setTerminalStdin(undefined);
if (!stdout.isTTY) cli._setTerminalStdout(undefined);
if (!stderr.isTTY) cli._setTerminalStderr(undefined);

// The shim leaves output to Node, which sends later what a pipe does not take at once. But this process is blocked while the command runs
// and exits right after it, so that the rest would be lost, with exit status 0.
const pause = new Int32Array(new SharedArrayBuffer(4));
const writeAll = (descriptor, written) => {
  const bytes = Buffer.from(written);
  for (let done = 0; done < bytes.length; ) {
    try {
      done += writeSync(descriptor, bytes, done);
    } catch (error) {
      if (error.code === "EPIPE") throw { tag: "closed" };
      if (error.code !== "EAGAIN") throw error;
      Atomics.wait(pause, 0, 0, 1);
    }
  }
  return true;
};
stdout.write = (bytes) => writeAll(1, bytes);
stderr.write = (bytes) => writeAll(2, bytes);

// wasi-libc asks for this flag with each file that it writes, and the shim refuses what has it.
const { openAt } = types.Descriptor.prototype;
types.Descriptor.prototype.openAt = function (pathFlags, path, openFlags, flags) {
  return openAt.call(this, pathFlags, path, openFlags, { ...flags, mutateDirectory: false });
};

for (const folder of (env.URLPOOL_DIRS ?? ".").split(delimiter)) {
  _addPreopen(folder, resolve(folder));
}
