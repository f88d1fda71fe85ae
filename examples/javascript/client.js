// urlpool as a module: instances, managers, responses as iterables, and failures as exceptions.

import { WASIShim } from '@bytecodealliance/preview2-shim/instantiation';

import { instantiate } from './urlpool/urlpool.js';

const SECOND = 1_000_000_000n; // The component counts in nanoseconds.
const PIECE = 256 * 1024;

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

// An instance of its own: it sees no file, no variable and, if so told, no network.
export async function load({ network = true } = {}) {
  const sandbox = { preopens: {}, env: {}, args: [], enableNetwork: network };
  const { blocking } = await instantiate(undefined, new WASIShim({ sandbox }).getImportObject());
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
