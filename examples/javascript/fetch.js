// Fetches URLs with urlpool inside this process, and writes their bodies to a file while they arrive.
//
//     node fetch.js --ca root.pem --proxy http://user:secret@proxy.example:3128 --output file https://internal.example/file
//
// It connects anywhere, only to what --allow names, or with --offline nowhere, and takes as long as it takes, or --seconds.

import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { BlockList, isIPv6 } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { Worker, isMainThread } from 'node:worker_threads';

import { FetchError, body, get, load, openManager } from './client.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    ca: { type: 'string' },
    proxy: { type: 'string' },
    output: { type: 'string' },
    offline: { type: 'boolean' },
    allow: { type: 'string', multiple: true },
    seconds: { type: 'string' },
  },
});

// Runs this program in a thread that can be stopped from here: whatever the component does there, nothing else can.
async function within(seconds) {
  const worker = new Worker(new URL(import.meta.url), { argv: process.argv.slice(2) });
  const timer = setTimeout(() => {
    console.error(`stopped after ${seconds} seconds`);
    worker.terminate();
  }, seconds * 1000);
  [process.exitCode] = await once(worker, 'exit');
  clearTimeout(timer);
}

async function main() {
  const allowed = new BlockList();
  for (const address of values.allow ?? []) allowed.addAddress(address, isIPv6(address) ? 'ipv6' : 'ipv4');
  const mayConnect = values.allow && ((address, family) => allowed.check(address, family));
  const blocking = await load({ network: !values.offline, mayConnect });
  const roots = values.ca && (await readFile(values.ca));
  const manager = openManager(blocking, { roots, proxy: values.proxy });
  for (const url of positionals) {
    const response = get(manager, url);
    const { status, connection } = response.head();
    console.error(`${status} over connection ${connection.number} after ${response.history().length} other answers`);
    const sink = values.output ? createWriteStream(values.output) : process.stdout;
    await pipeline(Readable.from(body(response)), sink, { end: sink !== process.stdout });
  }
}

(isMainThread && values.seconds ? within(values.seconds) : main()).catch((error) => {
  console.error(error instanceof FetchError ? `${error.kind}: ${error.message}` : error);
  process.exitCode = 1;
});
