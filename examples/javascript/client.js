// urlpool as a module: instances, managers, responses as iterables, and failures as exceptions.

import { readFile } from 'node:fs/promises';

import { WASIShim } from '@bytecodealliance/preview2-shim/instantiation';

import { instantiate } from './urlpool/urlpool.js';

const SECOND = 1_000_000_000n; // The component counts in nanoseconds.
const PIECE = 256 * 1024;
const PAGE = 64 * 1024; // In which WebAssembly counts memory.

// What the component reports. `kind` is what a program decides by, `message` is for people, `history` has the attempts before.
export class FetchError extends Error {
  constructor({ kind, message, failure, history }) {
    super(message);
    Object.assign(this, { name: 'FetchError', kind, failure, history });
  }
}

// What a function gives; what it throws becomes a FetchError. A failure of the component's host is thrown as it is.
function call(action) {
  try {
    return action();
  } catch (error) {
    throw error.payload?.kind ? new FetchError(error.payload) : error;
  }
}

// A module of the component. No option of jco limits its memory, and the limits of a Worker leave it out, so the module is told itself.
async function compile(name, memory) {
  const wasm = await readFile(new URL(`./urlpool/${name}`, import.meta.url));
  for (let start = 8, at; start < wasm.length; start = at) {
    let size = 0;
    at = start + 1;
    for (let shift = 0, byte = 128; byte >= 128; shift += 7) {
      byte = wasm[at++];
      size |= (byte & 127) << shift;
    }
    const section = wasm.subarray(at, (at += size));
    if (wasm[start] !== 5) continue;
    // The section of memories: one, without a maximum, and its pages at first.
    if (section[0] !== 1 || section[1] !== 0) throw new Error(`${name} has another memory than was expected`);
    const most = Math.floor(memory / PAGE);
    const maximum = [128 | (most & 127), 128 | ((most >> 7) & 127), most >> 14];
    const limited = Buffer.from([5, size + maximum.length, 1, 1, ...section.subarray(2), ...maximum]);
    return WebAssembly.compile(Buffer.concat([wasm.subarray(0, start), limited, wasm.subarray(at)]));
  }
  return WebAssembly.compile(wasm);
}

// An instance of its own: it sees no file, no variable and, if so told, no network, or only those addresses to which `mayConnect` agrees.
// It is called with an address, 'ipv4' or 'ipv6', and a port, as often as there is something to connect to. `memory` is in bytes: an
// instance that needs more ends with a WebAssembly.RuntimeError, and is of no use afterwards.
export async function load({ network = true, mayConnect = () => true, memory = 256 * 1024 * 1024 } = {}) {
  const sandbox = { preopens: {}, env: {}, args: [], enableNetwork: network };
  const imports = new WASIShim({ sandbox }).getImportObject();
  const { createTcpSocket } = imports['wasi:sockets/tcp-create-socket'];
  imports['wasi:sockets/tcp-create-socket'] = {
    createTcpSocket(family) {
      const socket = createTcpSocket(family);
      const startConnect = socket.startConnect.bind(socket);
      socket.startConnect = (from, to) => {
        const { address, port } = to.val;
        const text = family === 'ipv4' ? address.join('.') : address.map((word) => word.toString(16)).join(':');
        if (!mayConnect(text, family, port)) throw 'access-denied';
        startConnect(from, to);
      };
      return socket;
    },
  };
  const { blocking } = await instantiate((name) => compile(name, memory), imports);
  return blocking;
}

// Settings that are left out are undefined: their documented defaults.
export function openManager({ PoolManager, ProxyManager }, { roots, proxy, seconds = 10 }) {
  const limit = { tag: 'after', val: BigInt(seconds) * SECOND };
  const settings = {
    pool: {
      timeouts: { connect: limit, read: limit },
      retries: { total: { tag: 'at-most', val: 3 }, statuses: [502, 503, 504], backoffFactor: SECOND / 10n },
      tls: { roots },
    },
  };
  return call(() =>
    proxy === undefined ? PoolManager.open(settings) : ProxyManager.open({ url: proxy }, settings).manager(),
  );
}

export function get(manager, url) {
  return call(() => manager.request('GET', url, { tag: 'empty' }, {}));
}

// The body piece by piece: the next is read when the last has been taken. Breaking off gives the connection up.
export function* body(response) {
  try {
    for (let piece; (piece = call(() => response.read(PIECE))).length > 0; ) yield piece;
  } finally {
    response[Symbol.dispose]();
  }
}
