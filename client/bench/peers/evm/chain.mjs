// An EVM node over JSON-RPC: signed transactions are sent and followed until blocks hold them.

import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Transaction } from 'ethers';

// Nothing new for so long means that the rest is lost.
const PATIENCE_MS = 60_000;
const POLL_MS = 10;
// Transactions in one request: fewer requests than one for each flatter the node.
const BATCH = 64;
// Gas that a transaction may take: more than any here does.
const GAS = 3_000_000n;

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const hex = (number) => `0x${number.toString(16)}`;

export class Chain {
  #url;
  #id = 0n;
  #pid;

  constructor(url, pid) {
    this.#url = url;
    this.#pid = pid;
  }

  // Several questions in one request; an answer is a value or has `error`.
  async ask(questions) {
    const body = questions.map(([method, params], id) => ({ jsonrpc: '2.0', id, method, params }));
    const response = await fetch(this.#url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const answers = await response.json();
    if (!Array.isArray(answers)) throw new Error(`the node answers ${JSON.stringify(answers)}`);
    return answers.sort((one, other) => one.id - other.id);
  }

  async call(method, ...params) {
    const [answer] = await this.ask([[method, params]]);
    if (answer.error) throw new Error(`${method}: ${answer.error.message}`);
    return answer.result;
  }

  // Nothing is paid for: fees are 0, so that no account has to be given any money.
  async sign(wallet, nonce, to, data, value = 0n) {
    this.#id ||= BigInt(await this.call('eth_chainId'));
    const transaction = Transaction.from({
      type: 0, chainId: this.#id, nonce, to, data, value, gasLimit: GAS, gasPrice: 0n,
    });
    transaction.signature = wallet.signingKey.sign(transaction.unsignedHash);
    return { raw: transaction.serialized, hash: transaction.hash };
  }

  async height() {
    return Number(await this.call('eth_blockNumber'));
  }

  // Calls `each` with the transactions of each new block, until it says that it has seen enough or nothing new comes.
  async follow(from, each) {
    let next = from + 1;
    let last = performance.now();
    while (performance.now() - last < PATIENCE_MS) {
      const height = await this.height();
      for (; next <= height; next++) {
        const { transactions } = await this.call('eth_getBlockByNumber', hex(next), false);
        if (transactions.length > 0) last = performance.now();
        if (each(transactions, next)) return next;
      }
      await pause(POLL_MS);
    }
    return next - 1;
  }

  // Processor time of the node, in microseconds; see proc(5).
  nodeTime() {
    const stat = readFileSync(`/proc/${this.#pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // The unit is 10 ms on every Linux that Node.js runs on.
    return (Number(fields[11]) + Number(fields[12])) * 10_000;
  }

  // Sends what lies in the file, so many at a time, and tells what became of it.
  async send(path, window) {
    const load = JSON.parse(readFileSync(path, 'utf8'));
    rmSync(path);
    const sent = new Map();
    const latencies = [];
    const outcome = { accepted: 0, mined: 0, refused: 0, effective: 0, gas: 0, fullest: 0 };
    const from = await this.height();
    const [node, own] = [this.nodeTime(), process.cpuUsage()];
    const began = performance.now();
    let ended = began;
    let next = 0;
    let isSent = false;
    let isOver = false;

    const sending = (async () => {
      while (next < load.length && !isOver) {
        if (sent.size >= window) {
          await pause(1);
          continue;
        }
        const some = load.slice(next, next + Math.min(BATCH, window - sent.size));
        next += some.length;
        const now = performance.now();
        for (const { hash } of some) sent.set(hash, now);
        const answers = await this.ask(some.map(({ raw }) => ['eth_sendRawTransaction', [raw]]));
        answers.forEach((answer, place) => {
          if (answer.error) {
            outcome.refused += 1;
            outcome.refusal ??= answer.error.message;
            sent.delete(some[place].hash);
          } else {
            outcome.accepted += 1;
          }
        });
      }
      isSent = true;
    })();
    const following = this.follow(from, (transactions) => {
      const now = performance.now();
      for (const hash of transactions) {
        const at = sent.get(hash);
        if (at === undefined) continue;
        sent.delete(hash);
        latencies.push(now - at);
        outcome.mined += 1;
        ended = now;
      }
      outcome.fullest = Math.max(outcome.fullest, transactions.length);
      return isSent && sent.size === 0;
    });
    following.then(() => (isOver = true), () => (isOver = true));
    const [, to] = await Promise.all([sending, following]);
    const user = process.cpuUsage(own);

    outcome.node_us = this.nodeTime() - node;
    outcome.generator_us = user.user + user.system;
    outcome.seconds = (ended - began) / 1000;
    outcome.bytes = load.reduce((sum, { raw }) => sum + raw.length / 2 - 1, 0);
    outcome.latencies = latencies;
    for (let number = from + 1; number <= to; number++) {
      for (const receipt of await this.call('eth_getBlockReceipts', hex(number))) {
        outcome.effective += Number(receipt.status);
        outcome.gas += Number(receipt.gasUsed);
      }
    }
    return outcome;
  }
}

// Keeps signed transactions in a file, as they are sent later by whoever has not signed them.
export const keep = (path, load) => writeFileSync(path, JSON.stringify(load));
