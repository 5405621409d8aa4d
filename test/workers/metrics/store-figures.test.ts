/** Figures of stores that have many objects: each object reports its own, soon after a change and as time passes. */
import { evictDurableObject } from 'cloudflare:test';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { FIGURES_REPORT_MS } from '../../../shared/limits/metrics.ts';
import { WEBHOOK_PAUSES_MS } from '../../../shared/notices/ladder.ts';
import { METRIC_TOTALS_NAME } from '../../../workers/storage/metrics-port.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import {
  add,
  addWebhook,
  deliver,
  notice,
  pass,
  putOrganisation,
  Receiver,
  resetBatches,
  START,
  stub,
} from '../support/notices.ts';
import { AT, accept, bindings, intake, PARTNER, report } from '../support/reports.ts';

const HOUR = 3_600_000;
const totals = async () => bindings.METRIC_TOTALS.getByName(METRIC_TOTALS_NAME).totals();

beforeEach(() => {
  vi.spyOn(console, 'warn').mockImplementation(() => undefined);
});

describe('a store of notices', () => {
  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: START });
    vi.spyOn(Math, 'random').mockReturnValue(0.5);
    resetBatches();
    await putOrganisation();
  });

  test('reports what waits, what was given up and since when, and that all has arrived', async () => {
    const receiver = new Receiver();
    receiver.answer = () => 500;
    await addWebhook();
    await add(notice('a'), notice('b'));
    await deliver();
    await pass(FIGURES_REPORT_MS);
    expect((await totals()).notices).toMatchObject({
      sums: { kept: 2, pending: 2, failed: 0, enabled: 1, disabled: 0, gone: 0 },
      waitingSince: START,
    });
    receiver.answer = () => 204;
    await pass(WEBHOOK_PAUSES_MS[1]!);
    await pass(FIGURES_REPORT_MS);
    expect((await totals()).notices).toMatchObject({ sums: { kept: 2, pending: 0 }, waitingSince: null });
  });

  test('reports guidance once it is overdue, although nothing else happens, also after a restart', async () => {
    await add(notice('a', { type: 'recipients.guidance', respondBy: START + HOUR }));
    await deliver();
    expect((await totals()).notices.sums).toMatchObject({ kept: 1, overdue: 0 });
    await evictDurableObject(stub());
    await pass(HOUR - 1);
    expect((await totals()).notices.sums.overdue).toBe(0);
    // At the time of the alarm or later. The object set this alarm without a call.
    await pass(FIGURES_REPORT_MS);
    expect((await totals()).notices.sums.overdue).toBe(1);
  });
});

describe('an intake of reports', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'], now: AT });
  });

  test('reports what it has acknowledged, unless its partner is a mock', async () => {
    await accept([report('1'), report('2')]);
    await accept([report('3')], { ...PARTNER, intake: 'demo', id: 'demo', mock: true });
    await vi.waitFor(
      async () => expect((await totals()).reports.sums).toMatchObject({ accepted: 2, withdrawn: 0 }),
      { timeout: HANG_MS },
    );
    await intake().withdraw(['1']);
    vi.setSystemTime(AT + FIGURES_REPORT_MS);
    // Any request makes the intake report its figures.
    await accept([report('4')]);
    await vi.waitFor(
      async () => expect((await totals()).reports.sums).toMatchObject({ accepted: 3, withdrawn: 1 }),
      { timeout: HANG_MS },
    );
    expect((await intake('demo').status()).acknowledged).toBe(1);
  });
});
