// A daemon with the RPC of Kubo: js-ipfs, which is the only one that comes from npm alone. It knows no other peer.

import '../resolvers.mjs';
import { create } from 'ipfs-core';
import { HttpApi } from 'ipfs-http-server';

const ipfs = await create({
  repo: process.argv[2],
  offline: true,
  silent: true,
  init: { emptyRepo: true, algorithm: 'Ed25519' },
  config: {
    Addresses: {
      Swarm: [],
      Announce: [],
      NoAnnounce: [],
      Delegates: [],
      API: '/ip4/127.0.0.1/tcp/0',
      Gateway: '',
    },
    Bootstrap: [],
    Discovery: { MDNS: { Enabled: false }, webRTCStar: { Enabled: false } },
  },
});
const api = new HttpApi(ipfs);
await api.start();
console.error(`listening ${api._apiServers[0].info.uri}`);
