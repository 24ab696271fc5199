// Helia's Bitswap, as a peer of its own: gives a block, fetches one, or stands behind the trustless gateway of
// `@web3-storage/gateway-lib`. That was made for Cloudflare's workers, whose requests and answers Node.js has, too.

import '../resolvers.mjs';
import { noise } from '@chainsafe/libp2p-noise';
import { yamux } from '@chainsafe/libp2p-yamux';
import { createBitswap } from '@helia/bitswap';
import { identify } from '@libp2p/identify';
import { tcp } from '@libp2p/tcp';
import { multiaddr } from '@multiformats/multiaddr';
import { handleBlock, handleCar } from '@web3-storage/gateway-lib/handlers';
import {
  composeMiddleware,
  createWithHttpMethod,
  withContext,
  withErrorHandler,
  withParsedIpfsUrl,
} from '@web3-storage/gateway-lib/middleware';
import { MemoryBlockstore } from 'blockstore-core';
import { Dagula } from 'dagula';
import { createLibp2p } from 'libp2p';
import { CID } from 'multiformats/cid';
import * as raw from 'multiformats/codecs/raw';
import { sha256 } from 'multiformats/hashes/sha2';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const PATIENCE = 60_000;

const [command, ...args] = process.argv.slice(2);
const libp2p = await createLibp2p({
  addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
  transports: [tcp()],
  connectionEncrypters: [noise()],
  streamMuxers: [yamux()],
  services: { identify: identify() },
});
const blockstore = new MemoryBlockstore();
// Whom it does not know it does not find: peers are dialled by their addresses.
const routing = { findProviders: async function* () {} };
const bitswap = createBitswap({ blockstore, libp2p, logger: libp2p.logger, routing });
await bitswap.start();

/** The block, from here or from the peers that are connected. What has come stays: Helia does not ask twice in a moment. */
async function find(cid) {
  if (!(await blockstore.has(cid))) {
    await blockstore.put(cid, await bitswap.want(cid, { signal: AbortSignal.timeout(PATIENCE) }));
  }
  return blockstore.get(cid);
}

/** What the gateway has its blocks from: the peers that are connected. */
const dagula = new Dagula({
  get: async (cid) => ({ cid, bytes: await find(cid) }),
  stat: async (cid) => ({ size: (await find(cid)).length }),
  // From the first byte of a range to its last one, or to the end.
  stream: async (cid, { range: [first, last = Infinity] }) =>
    new Blob([(await find(cid)).subarray(first, last + 1)]).stream(),
});

const gateway = composeMiddleware(
  withContext,
  withErrorHandler,
  createWithHttpMethod('GET', 'HEAD'),
  withParsedIpfsUrl,
)((request, environment, context) => {
  const form = context.searchParams.get('format');
  return (form === 'car' ? handleCar : handleBlock)(request, environment, context);
});

/** Has the gateway answer. */
async function answer(asked, response) {
  const { method, headers } = asked;
  const request = new Request(new URL(asked.url, `http://${headers.host}`), { method, headers });
  const context = { blocks: dagula, dag: dagula, unixfs: dagula, waitUntil() {} };
  const { status, headers: told, body } = await gateway(request, {}, context);
  response.writeHead(status, Object.fromEntries(told));
  // Who has asked may hang up before the end.
  await pipeline(body ? Readable.fromWeb(body) : [], response).catch(() => {});
}

switch (command) {
  // serve FILE: gives the block in this file to whoever asks.
  case 'serve': {
    const block = await readFile(args[0]);
    await blockstore.put(CID.createV1(raw.code, await sha256.digest(block)), block);
    console.error(`listening ${libp2p.getMultiaddrs()[0]}`);
    break;
  }
  // fetch ADDRESS CID: writes the block that this peer gives to standard output.
  case 'fetch': {
    await libp2p.dial(multiaddr(args[0]));
    process.stdout.write(await find(CID.parse(args[1])));
    await bitswap.stop();
    await libp2p.stop();
    break;
  }
  // gateway ADDRESS: gives the blocks of this peer over HTTP.
  case 'gateway': {
    await libp2p.dial(multiaddr(args[0]));
    const server = createServer(answer).listen(0, '127.0.0.1');
    await once(server, 'listening');
    console.error(`listening http://127.0.0.1:${server.address().port}`);
    break;
  }
  default:
    throw new Error('serve FILE, fetch ADDRESS CID, or gateway ADDRESS');
}
