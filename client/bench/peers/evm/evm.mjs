// Registrations and deliveries of two contracts on an EVM node, beside its plain transfers. Prints the rows that they come
// to, as JSON, for scripts/lib/peers.py.
//
//   node evm.mjs --url URL --pid PID --folder DIR [--runs 5] [--count 10000] [--window 8192] [--samples 104]
//     [--population 10000]
//
// The node is started by somebody else, with blocks of one second and no limit of gas; PID is its process.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createHash } from 'node:crypto';
import { Interface, Wallet, getCreateAddress } from 'ethers';
import solc from 'solc';
import { Chain, keep } from './chain.mjs';

// Accounts that send in turns, as the organisations in the loads of dpki-bench do.
const SENDERS = 64;
// Between two registrations under light load; not a divisor of the length of a slot.
const GAP_MS = 230;
const LOOKUPS = 50;
// Fewer of them if they take longer than this altogether.
const LOOKING_MS = 30_000;
// A public chain's blocks as they are: gas, and seconds between them.
const PUBLIC = { gas: 60_000_000, seconds: 12 };
// Gas that a node grants a question, as go-ethereum is shipped (`--rpc.gascap`).
const CALL_CAP = 50_000_000;

const { values: options } = parseArgs({
  options: {
    url: { type: 'string' },
    pid: { type: 'string' },
    folder: { type: 'string' },
    runs: { type: 'string', default: '5' },
    count: { type: 'string', default: '10000' },
    window: { type: 'string', default: '8192' },
    samples: { type: 'string', default: '104' },
    population: { type: 'string', default: '10000' },
  },
});
const number = (name) => {
  const value = Number(options[name]);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} has to be a number above 0`);
  return value;
};
const [runs, count, window, samples] = ['runs', 'count', 'window', 'samples'].map(number);
// Registered keys among which is looked, by what the rows are named after.
const populations = [['tenth', Math.ceil(number('population') / 10)], ['all', number('population')]];

const chain = new Chain(options.url, number('pid'));
const digest = (text) => createHash('sha256').update(text).digest();
const wallet = (name) => new Wallet(`0x${digest(name).toString('hex')}`);
const median = (list) => percentile(list, 0.5);
const percentile = (list, share) => {
  const sorted = [...list].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
};
const rounded = (value, digits = 1) => Number(value.toFixed(digits));

// Where an account stands in the order of its own transactions.
const nonces = new Map();
const sign = (from, to, data, value) => {
  const nonce = nonces.get(from.address) ?? 0;
  nonces.set(from.address, nonce + 1);
  return chain.sign(from, nonce, to, data, value);
};

const compile = () => {
  const names = ['KeyStore.sol', 'Deliveries.sol'];
  const here = fileURLToPath(new URL('contracts/', import.meta.url));
  const sources = names.map((name) => [name, { content: readFileSync(join(here, name), 'utf8') }]);
  const input = {
    language: 'Solidity',
    sources: Object.fromEntries(sources),
    settings: {
      optimizer: { enabled: true, runs: 200 },
      outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object'] } },
    },
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input)));
  const faults = (output.errors ?? []).filter(({ severity }) => severity === 'error');
  if (faults.length > 0) throw new Error(faults[0].formattedMessage);
  return names.map((name) => {
    const contract = Object.values(output.contracts[name])[0];
    return { api: new Interface(contract.abi), code: `0x${contract.evm.bytecode.object}` };
  });
};

const senders = Array.from({ length: SENDERS }, (_, place) => wallet(`sender-${place}`));
const receivers = senders.map((_, place) => wallet(`receiver-${place}`));
const keeper = wallet('keeper');
const [keyStore, deliveries] = compile();

const accepted = async ({ raw }) => chain.call('eth_sendRawTransaction', raw);

// Puts a contract on the chain and waits for it.
const deploy = async ({ code }) => {
  const to = getCreateAddress({ from: keeper.address, nonce: nonces.get(keeper.address) ?? 0 });
  const creation = await sign(keeper, null, code);
  const from = await chain.height();
  await accepted(creation);
  await chain.follow(from, (transactions) => transactions.includes(creation.hash));
  if ((await chain.call('eth_getCode', to, 'latest')) === '0x') throw new Error('the contract is not there');
  return to;
};

// What a device is registered with: a UUID, an Ed25519 key and a token, all in letters.
const device = (world, place) => {
  const of = (what) => digest(`${what}-${world}-${place}`);
  const id = of('id').toString('hex');
  const identity = [0, 8, 12, 16, 20].map((at, part, all) => id.slice(at, all[part + 1] ?? 32)).join('-');
  return { identity, key: of('key').toString('base64'), token: of('token').toString('base64') };
};
const asking = (to, world, place) => {
  const { identity, key, token } = device(world, place);
  return sign(senders[place % SENDERS], to, keyStore.api.encodeFunctionData('ask', [identity, key, token]));
};
const admitting = (to, world, place) =>
  sign(keeper, to, keyStore.api.encodeFunctionData('admit', [device(world, place).token]));

const load = async (each, amount = count) => {
  const signed = [];
  for (let place = 0; place < amount; place++) signed.push(await each(place));
  const path = join(options.folder, `load-${load.next++}.json`);
  keep(path, signed);
  return path;
};
load.next = 0;

// One after the other: what is admitted has to have been asked for in an earlier block.
const register = async (to, world, amount = count) => {
  const paths = [
    await load((place) => asking(to, world, place), amount),
    await load((place) => admitting(to, world, place), amount),
  ];
  const [asked, admitted] = [await chain.send(paths[0], window), await chain.send(paths[1], window)];
  const sum = {};
  for (const field of ['accepted', 'mined', 'refused', 'seconds', 'gas', 'bytes', 'node_us', 'generator_us']) {
    sum[field] = asked[field] + admitted[field];
  }
  const [held] = keyStore.api.decodeFunctionResult('count', await call(to, keyStore.api.encodeFunctionData('count')));
  sum.effective = Math.min(asked.effective, admitted.effective, Number(held));
  sum.fullest = Math.max(asked.fullest, admitted.fullest);
  sum.refusal = asked.refusal ?? admitted.refusal;
  sum.latencies = [];
  return sum;
};

const call = (to, data, from = keeper.address) =>
  chain.call('eth_call', { to, data, from, gas: '0xffffffffff' }, 'latest');

// A row of many runs: the median of the rates, and the facts of the run in the middle.
const row = (id, outcomes, more = {}) => {
  const rate = ({ effective, seconds }) => effective / seconds;
  const sorted = [...outcomes].sort((one, other) => rate(one) - rate(other));
  const middle = sorted[Math.floor(sorted.length / 2)];
  const each = (value, digits) => rounded(value / Math.max(middle.effective, 1), digits);
  return {
    id,
    value: rounded(rate(middle)),
    runs: outcomes.length,
    keys: middle.effective,
    seconds: rounded(middle.seconds, 3),
    cpu_us_per_key: each(middle.node_us),
    generator_cpu_us_per_key: each(middle.generator_us),
    bytes_per_key: each(middle.bytes),
    gas_per_key: each(middle.gas, 0),
    fullest_block: middle.fullest,
    mined_p50_ms: middle.latencies.length > 0 ? rounded(median(middle.latencies)) : null,
    mined_p99_ms: middle.latencies.length > 0 ? rounded(percentile(middle.latencies, 0.99)) : null,
    accepted_but_lost: outcomes.reduce((sum, { accepted, mined }) => sum + accepted - mined, 0),
    refused: middle.refused,
    refusal: middle.refusal ?? null,
    slowest: rounded(rate(sorted[0]), 0),
    fastest: rounded(rate(sorted[sorted.length - 1]), 0),
    ...more,
  };
};
const gasRow = (id, { gas_per_key: gas, runs }) => ({
  id,
  value: gas,
  runs,
  // Computed, not measured.
  per_second_in_public_blocks: rounded(PUBLIC.gas / PUBLIC.seconds / gas),
});

// Microseconds from the question to the answer; the first few find nothing in any cache.
const asked = async (to, data, from) => {
  const times = [];
  const first = performance.now();
  while (times.length < LOOKUPS && performance.now() - first < LOOKING_MS) {
    const began = performance.now();
    await call(to, data, from);
    times.push((performance.now() - began) * 1000);
  }
  return times;
};
const gasOf = async (to, data, from = keeper.address) =>
  Number(await chain.call('eth_estimateGas', { to, data, from, gas: '0xffffffffff' }));

const lookup = async (name, to, world, keys) => {
  const of = (place) => keyStore.api.encodeFunctionData('keyOf', [device(world, place).identity]);
  const [oldest, newest] = [of(0), of(keys - 1)];
  const [text] = keyStore.api.decodeFunctionResult('keyOf', await call(to, oldest));
  if (text !== device(world, 0).key) throw new Error('the contract gives another key');
  const times = await asked(to, oldest);
  return {
    id: `peers/evm/keystore/lookup/${name}`,
    value: rounded(median(times)),
    runs: times.length,
    keys,
    p99: rounded(percentile(times, 0.99)),
    newest_us: rounded(median(await asked(to, newest))),
  };
};

// What a lookup costs of gas; a node finds that out by trying often, so it is asked about few keys and not about all.
const lookupGas = async (to, world, keys) => {
  const of = (place) => keyStore.api.encodeFunctionData('keyOf', [device(world, place).identity]);
  const [gas, least] = [await gasOf(to, of(0)), await gasOf(to, of(keys - 1))];
  const step = (gas - least) / Math.max(keys - 1, 1);
  return {
    gas,
    gas_of_newest: least,
    // Computed: the oldest of more keys is not found any more by a node with the usual cap.
    keys_within_call_cap: Math.floor((CALL_CAP - least) / step) + 1,
  };
};

// From the request to the admission, which is sent when the request is in a block.
const latency = async () => {
  const to = await deploy(keyStore);
  const pairs = [];
  for (let place = 0; place < samples; place++) {
    pairs.push([await asking(to, 'latency', place), await admitting(to, 'latency', place)]);
  }
  const waiting = new Map();
  const mined = ({ hash }) => new Promise((resolve) => waiting.set(hash, resolve));
  const times = [];
  const following = chain.follow(await chain.height(), (transactions) => {
    for (const hash of transactions) waiting.get(hash)?.();
    return times.length === samples;
  });
  const register = async ([request, admission]) => {
    const began = performance.now();
    for (const transaction of [request, admission]) {
      const held = mined(transaction);
      await accepted(transaction);
      await held;
    }
    times.push(performance.now() - began);
  };
  const all = [];
  for (const pair of pairs) {
    all.push(register(pair));
    await new Promise((resolve) => setTimeout(resolve, GAP_MS));
  }
  await following;
  if (times.length < samples) throw new Error(`only ${times.length} of ${samples} registrations were mined`);
  await Promise.all(all);
  return [['p50', 0.5], ['p99', 0.99]].map(([name, share]) => ({
    id: `peers/evm/latency/${name}`,
    value: rounded(percentile(times, share)),
    runs: samples,
  }));
};

const measure = async () => {
  const publishing = deliveries.api;
  const blob = (place) => [
    digest(`keys-${place}`).toString('hex'),
    `bafkrei${digest(`cid-${place}`).toString('hex').slice(0, 52)}`,
    digest(`blob-${place}`).toString('hex'),
  ];
  const [transfers, registrations, publications] = [[], [], []];
  let places;
  // Transfers are between accounts that are there already.
  for (const { address } of senders) await chain.call('anvil_setBalance', address, '0xffffffffffffffff');
  for (const { address } of receivers) await chain.call('anvil_setBalance', address, '0x1');
  const transfer = (place) =>
    sign(senders[place % SENDERS], receivers[place % SENDERS].address, '0x', 1n);
  const publish = (place) =>
    sign(keeper, places, publishing.encodeFunctionData('publish', [wallet(`device-${place}`).address, ...blob(place)]));
  for (let run = 0; run < runs; run++) {
    transfers.push(await chain.send(await load(transfer), window));
    const store = await deploy(keyStore);
    registrations.push(await register(store, run));
    places = await deploy(deliveries);
    publications.push(await chain.send(await load(publish), window));
    const [moved, registered, published] = [transfers, registrations, publications]
      .map((list) => Math.round(list[run].effective / list[run].seconds));
    console.error(`run ${run}: ${moved} transfers, ${registered} registrations, ${published} deliveries per second`);
  }
  const moved = row('peers/evm/transfer', transfers);
  const ratio = ({ value }) => rounded(value / moved.value, 3);
  const registered = row('peers/evm/keystore/register', registrations, { transactions_per_key: 2 });
  const published = row('peers/evm/deliveries/publish', publications);
  const rows = [
    moved,
    { ...registered, ratio: ratio(registered) },
    gasRow('peers/evm/keystore/gas', registered),
    { ...published, ratio: ratio(published) },
    gasRow('peers/evm/deliveries/gas', published),
    ...(await latency()),
  ];
  for (const [name, keys] of populations) {
    const store = await deploy(keyStore);
    const { effective } = await register(store, name, keys);
    if (effective !== keys) throw new Error(`${effective} of ${keys} keys are there`);
    console.error(`${keys} keys are there, to be looked up`);
    const gas = name === 'tenth' ? await lookupGas(store, name, keys) : {};
    rows.push({ ...(await lookup(name, store, name, keys)), ...gas });
  }
  const reading = publishing.encodeFunctionData('mine');
  const times = await asked(places, reading, wallet('device-0').address);
  rows.push({
    id: 'peers/evm/deliveries/lookup',
    value: rounded(median(times)),
    runs: times.length,
    p99: rounded(percentile(times, 0.99)),
    gas: await gasOf(places, reading, wallet('device-0').address),
  });
  const facts = {
    node: await chain.call('web3_clientVersion'),
    compiler: solc.version(),
    validators: 0,
    slot_ms: 1_000,
    window,
  };
  return rows.map((each) => ({ ...each, ...facts }));
};

console.log(JSON.stringify(await measure()));
