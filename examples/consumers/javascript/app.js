// Fetches the URLs in its arguments, one after the other over the same connections, and says how large they are.
//
// Proxies come from the variables that curl reads; CA_PEM holds the certificates to trust, where the built-in ones will not do.

import { getArguments, getEnvironment } from 'wasi:cli/environment@0.2.12';
import { PoolManager, proxiesFromEnvironment } from 'urlpool:client/blocking@0.1.0';

const SECOND = 1_000_000_000n; // The component counts in nanoseconds.
const PIECE = 256 * 1024;

// Whatever is not named is undefined: its documented default.
function openManager() {
  const variables = getEnvironment();
  const roots = new Map(variables).get('CA_PEM');
  const after = (seconds) => ({ tag: 'after', val: seconds * SECOND });
  return PoolManager.open({
    pool: {
      timeouts: { connect: after(5n), read: after(10n) },
      retries: { total: { tag: 'at-most', val: 3 }, statuses: [502, 503, 504], backoffFactor: SECOND / 10n },
      proxies: proxiesFromEnvironment(variables),
      tls: { roots: roots && new TextEncoder().encode(roots) },
    },
  });
}

function* pieces(response) {
  for (let piece; (piece = response.read(PIECE)).length > 0; ) yield piece;
}

function fetchFrom(manager, url) {
  const response = manager.request('GET', url, { tag: 'empty' }, {});
  const { status, connection } = response.head();
  let length = 0;
  for (const piece of pieces(response)) length += piece.length;
  const before = response.history().length;
  console.log(`${status} ${length} bytes over connection ${connection.number} after ${before} other answers`);
}

export const run = {
  run() {
    try {
      const manager = openManager();
      for (const url of getArguments().slice(1)) fetchFrom(manager, url);
    } catch (failed) {
      // The kind is what a program decides by; the words are for people.
      const { kind, message } = failed.payload ?? { kind: 'bug', message: failed.stack };
      console.error(`${kind}: ${message}`);
      throw undefined;
    }
  },
};
