// Helia's Bitswap, as a peer of its own: gives a block, fetches one, or stands behind a trustless gateway.

import '../resolvers.mjs';
import { noise } from '@chainsafe/libp2p-noise';
import { yamux } from '@chainsafe/libp2p-yamux';
import { createBitswap } from '@helia/bitswap';
import { CarWriter } from '@ipld/car';
import { identify } from '@libp2p/identify';
import { tcp } from '@libp2p/tcp';
import { multiaddr } from '@multiformats/multiaddr';
import { MemoryBlockstore } from 'blockstore-core';
import { createLibp2p } from 'libp2p';
import { CID } from 'multiformats/cid';
import * as raw from 'multiformats/codecs/raw';
import { sha256 } from 'multiformats/hashes/sha2';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';

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

/** The block in an archive of its own. */
async function archive(cid, block) {
  const { writer, out } = CarWriter.create([cid]);
  const written = buffer(out);
  await writer.put({ cid, bytes: block });
  await writer.close();
  return written;
}

/** Answers as a trustless gateway does, from the peers that are connected. */
async function answer(request, response) {
  const url = new URL(request.url, 'http://localhost');
  try {
    const cid = CID.parse(url.pathname.replace('/ipfs/', ''));
    const block = await find(cid);
    const [type, body] =
      url.searchParams.get('format') === 'car'
        ? ['application/vnd.ipld.car; version=1; order=dfs; dups=y', await archive(cid, block)]
        : ['application/vnd.ipld.raw', block];
    response.writeHead(200, { 'Content-Type': type }).end(body);
  } catch (error) {
    response.writeHead(404, { 'Content-Type': 'text/plain' }).end(error.message);
  }
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
