// 10,000 requests and 1,000 dropped responses leave memory and sockets where they were, and an instance gets no more memory than it may have.
// Stands beside client.js: node --expose-gc steady.mjs URL, where the URL has a `small` body of 10 bytes below it, a `large` one of
// 300,000 and a `huge` one of 10,000,000.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';

import { FetchError, body, get, load, openManager } from './client.js';

const url = process.argv[2];
const HUGE = 10_000_000;
// In kibibytes, for what the collectors of two threads and jco's own tables keep. A leak of 10 KiB for each request is 100 MiB.
const MARGIN = 64 << 10;

function files() {
  return readdirSync('/proc/self/fd').length;
}

function resident() {
  globalThis.gc();
  return Number(/VmRSS:\s*(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
}

async function isSteady() {
  const manager = openManager(await load(), {});
  const use = (count, dropped) => {
    for (let left = count; left > 0; left--) assert.equal(Buffer.concat([...body(get(manager, `${url}/small`))]).length, 10);
    for (let left = dropped; left > 0; left--) get(manager, `${url}/large`)[Symbol.dispose]();
    get(manager, `${url}/small`)[Symbol.dispose]();
  };
  use(1_000, 100);
  const [open, kept] = [files(), resident()];
  use(10_000, 1_000);
  // The patience of whoever started this ends the wait.
  while (files() > open) await setTimeout(5);
  const now = resident();
  console.error(`${kept} KiB became ${now} KiB`);
  assert.ok(now < kept + MARGIN, `${kept} KiB became ${now} KiB`);
}

async function isLimited() {
  const read = async (memory) => get(openManager(await load({ memory }), {}), `${url}/huge`).readAll(HUGE).length;
  assert.equal(await read(64 << 20), HUGE);
  await assert.rejects(read(16 << 20), WebAssembly.RuntimeError);
}

await isSteady();
await isLimited();
