// Fetches URLs with urlpool inside this process, and writes their bodies to a file while they arrive.
//
//     node fetch.js --ca root.pem --proxy http://user:secret@proxy.example:3128 --output file https://internal.example/file

import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';

import { FetchError, body, get, load, openManager } from './client.js';

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      ca: { type: 'string' },
      proxy: { type: 'string' },
      output: { type: 'string' },
      offline: { type: 'boolean' },
    },
  });
  const blocking = await load({ network: !values.offline });
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

main().catch((error) => {
  console.error(error instanceof FetchError ? `${error.kind}: ${error.message}` : error);
  process.exitCode = 1;
});
