/**
 * The simulation of `npm run bench -- propagation` in worlds so small that all times below are computed by hand. There is no
 * jitter, a request comes every second, and the coordinator is 100 ms away.
 */
import { describe, expect, it } from 'vitest';
import { Fleet } from '../../bench/simulation/fleet.ts';
import type { Condition, Network } from '../../bench/simulation/network.ts';

/** 100 ms away. Its KV cache fills at 0 s and 30 s, the cache behind it at 9 s and 39 s, from a store that lags by 1 s. */
const DATA_CENTRE = { rttMs: 100, kvPhasesMs: [0, 9_000], kvLagMs: 1_000 };

/** @param gapsMs the gaps before the first requests of each isolate in the one data centre; later gaps are 1 s */
function network(gapsMs: readonly (readonly number[])[]): Network {
  return {
    dataCentres: [DATA_CENTRE],
    isolates: gapsMs.map((gaps) => {
      let drawn = 0;
      return { dataCentre: 0, gapMs: () => gaps[drawn++] ?? 1_000 };
    }),
    rttMs: ({ rttMs }) => rttMs,
    cacheMs: () => 0,
    kvMs: () => 10,
    slowMs: () => 1_000,
    failsSilently: () => false,
    serviceMs: 1,
    queueMs: 500,
    kvWriteMs: 300,
    kvWriteIntervalMs: 1_100,
    // The middle of every jitter range.
    random: () => 0.5,
  };
}

function ran(
  gapsMs: readonly (readonly number[])[],
  changesMs: readonly number[],
  endMs: number,
  condition: (now: number) => Condition = () => 'healthy',
): Fleet {
  const fleet = new Fleet({ network: network(gapsMs), endMs, changesMs, condition });
  fleet.run();
  return fleet;
}

/** The second of each count. */
function secondsOf(counter: Uint32Array): number[] {
  return [...counter.entries()].flatMap(([second, count]) => Array<number>(count).fill(second));
}

describe('the simulated fleet', () => {
  it('sees a change with the poll that follows it', () => {
    // Polls are at 1, 6, 11 and 16 s, and reach the coordinator 50 ms later. The first request waits for its poll.
    const fleet = ran([[1_000]], [6_020, 7_500], 20_000);
    expect(secondsOf(fleet.counts.coordinator)).toEqual([1, 6, 11, 16]);
    expect(secondsOf(fleet.counts.waited)).toEqual([1]);
    expect(fleet.counts.waitedMs[1]).toBe(101);
    // The poll of 6 s finds the first change. The request of 11 s is the last one without the second change.
    expect([...fleet.visibleMs(0)]).toEqual([0]);
    expect([...fleet.visibleMs(1)]).toEqual([3_500]);
  });

  it('asks once for a data centre', () => {
    // The second isolate polls at 1.5, 6.5, 11.5 s, and finds the copies of 1, 6 and 11 s.
    const fleet = ran([[1_000], [1_500]], [7_500], 20_000);
    expect(secondsOf(fleet.counts.coordinator)).toEqual([1, 6, 11, 16]);
    expect([...fleet.visibleMs(0)]).toEqual([3_500, 4_000]);
  });

  it('sends who loses the claim back after a second', () => {
    // The second isolate finds the claim of the first one at 1.02 s, and its copy 250 ms later. At 6.02 s it finds a claim
    // again. No request waits, so it comes back at 7.02 s.
    const fleet = ran([[1_000], [1_020]], [5_500], 12_500);
    expect(secondsOf(fleet.counts.coordinator)).toEqual([1, 6, 11]);
    expect(fleet.counts.waitedMs[1]).toBe(101 + 250);
    expect([...fleet.visibleMs(0)]).toEqual([500, 1_520]);
  });

  it('takes a second longer for the coordinator while that is slow', () => {
    const fleet = ran([[1_000]], [7_500], 20_000, () => 'slow');
    // As in health, except that the answer to the poll of 11 s arrives at 12.1 s, after the request of 12 s.
    expect([...fleet.visibleMs(0)]).toEqual([4_500]);
    // Without a head, the request of 2 s waits too.
    expect(fleet.counts.waitedMs[2]).toBe(1_101 + 101);
  });

  it('sees a change through KV while the coordinator fails', () => {
    // Calls are at 1, 6, 11 and 21 s, because at 16 s the copy stored at 11 s is fresh. After two failures the breaker is open
    // for 11 s, so at 31 s KV is read at once. The KV cache has the store's state of 8 s: the change of 7 s, written at 7.3 s,
    // but not the change of 7.8 s.
    const changes = [7_000, 7_800];
    const fleet = ran([[1_000]], changes, 40_000, (now) => (now < 8_000 ? 'healthy' : 'failing'));
    expect(secondsOf(fleet.counts.coordinator)).toEqual([1, 6, 11, 21]);
    expect(secondsOf(fleet.counts.kvReads)).toEqual([11, 21, 31]);
    expect([...fleet.visibleMs(0)]).toEqual([24_000]);
    // Not visible until the end of the simulation.
    expect([...fleet.visibleMs(1)]).toEqual([39_000 - 7_800]);
    // From 21 s on the head is older than 15 s, but no request waits, because the isolate has just polled.
    expect(secondsOf(fleet.counts.waited)).toEqual([1]);
  });

  it('makes one request of an isolate without traffic wait while the coordinator fails', () => {
    // At 17 s the last poll was 16 s ago. The error arrives after 100 ms, and KV responds 10 ms later.
    const fleet = ran([[1_000, 16_000]], [], 20_000, (now) => (now < 8_000 ? 'healthy' : 'failing'));
    expect(secondsOf(fleet.counts.waited)).toEqual([1, 17]);
    expect(fleet.counts.waitedMs[17]).toBe(110);
    expect(secondsOf(fleet.counts.coordinator)).toEqual([1, 17]);
  });
});
