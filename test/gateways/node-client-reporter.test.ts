/** The reporter of the Node client: its requests, its retries, and the errors of refusals. */
import { describe, expect, it } from 'vitest';
import { makeReporter, NumgateError, type Reporter, type SpamReport } from '../../examples/node/client.ts';
import { json, problem, type Respond, type SentRequest, streamed } from './support/fake-fetch.ts';

function reporterOf(respond: Respond): { readonly reporter: Reporter; readonly sent: SentRequest[] } {
  const sent: SentRequest[] = [];
  const fetched = async (input: unknown, init: RequestInit = {}): Promise<Response> => {
    const request = { url: String(input), init, body: String(init.body) };
    return respond(request, sent.push(request) - 1);
  };
  const reporter = makeReporter({
    ...{ url: 'https://control.example/', key: 'partner.secret', pause: async () => undefined },
    fetch: fetched as typeof fetch,
  });
  return { reporter, sent };
}

function reports(count: number): SpamReport[] {
  return Array.from({ length: count }, (_, index) => ({
    ...{ reportId: `r-${index}`, from: '010-2345-6789', channel: 'sms', at: '2026-11-26T00:00:00Z' },
    ...{ kind: 'gambling', origin: 'domestic', reporter: `subscriber-${index}` },
  }));
}

const accepted = ({ reportId }: { readonly reportId: string }) => ({ reportId, status: 'accepted' });
const itemsOf = ({ body }: SentRequest) => (JSON.parse(body) as { items: SpamReport[] }).items;

describe('the reporter', () => {
  it('sends a report again until it is acknowledged, with the same ID', async () => {
    const { reporter, sent } = reporterOf(({ body }, index) => {
      if (index === 0) throw new TypeError('fetch failed');
      return index === 1 ? problem(503, 'UNAVAILABLE') : json(accepted(JSON.parse(body) as SpamReport));
    });
    expect(await reporter.report(reports(1)[0]!)).toEqual({ reportId: 'r-0', status: 'accepted' });
    expect(sent.map(({ url, body }) => [url, JSON.parse(body)])).toEqual(
      sent.map(() => ['https://control.example/v1/reports', reports(1)[0]]),
    );
    expect(sent).toHaveLength(3);
    expect(sent[0]!.init.headers).toMatchObject({ authorization: 'Bearer partner.secret' });
  });

  it('rejects with the field that is wrong, and sends nothing again that cannot succeed', async () => {
    const { reporter, sent } = reporterOf(() => problem(400, 'REPORT_TOO_OLD'));
    const error = await reporter.report(reports(1)[0]!).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(NumgateError);
    expect(error).toMatchObject({ code: 'REPORT_TOO_OLD', status: 400 });
    expect(sent).toHaveLength(1);
  });

  it('divides a batch into requests of 1,000, and returns one answer for each report, in order', async () => {
    const error = { code: 'NUMBER_IS_TEST', field: 'from', message: '"from" is a test number' };
    const { reporter, sent } = reporterOf((request) =>
      json({
        results: itemsOf(request).map((report) =>
          report.reportId === 'r-1001' ? { reportId: report.reportId, error } : accepted(report),
        ),
      }),
    );
    const answers = await reporter.reportBatch(reports(2_100));
    expect(answers).toEqual(
      reports(2_100).map((report, index) =>
        index === 1_001 ? { reportId: 'r-1001', error } : accepted(report),
      ),
    );
    expect(sent.map((request) => itemsOf(request).length)).toEqual([1_000, 1_000, 100]);
    expect(await reporter.reportBatch([])).toEqual([]);
  });

  it('never takes a response without an answer for each report', async () => {
    const { reporter } = reporterOf(() => json({ results: [{ reportId: 'r-0', status: 'accepted' }] }));
    await expect(reporter.reportBatch(reports(2))).rejects.toMatchObject({ code: 'RESPONSE_INVALID' });
  });

  it('goes on with the first report that has no answer when a stream breaks', async () => {
    const { reporter, sent } = reporterOf(({ body }, index) => {
      const lines = body.trimEnd().split('\n');
      const answers = lines.map((line) => accepted(JSON.parse(line) as SpamReport));
      return streamed(answers, index === 0 ? 3 : undefined);
    });
    const answers: unknown[] = [];
    for await (const answer of reporter.reportStream(reports(5))) answers.push(answer);
    expect(answers).toEqual(reports(5).map(accepted));
    expect(sent.map(({ body }) => body.trimEnd().split('\n').length)).toEqual([5, 2]);
    expect(sent[0]!.init.headers).toMatchObject({ 'content-type': 'application/x-ndjson' });
  });

  it.each([undefined, ''])('names a key that is missing: %j', (key) => {
    const make = () => makeReporter({ url: 'https://control.example', key: key as string });
    expect(make).toThrow(new TypeError('"key" is missing'));
  });

  it('withdraws reports by ID', async () => {
    const { reporter, sent } = reporterOf(({ body }) => {
      const { reportIds } = JSON.parse(body) as { reportIds: string[] };
      return json({ results: reportIds.map((reportId) => ({ reportId, status: 'withdrawn' })) });
    });
    expect(await reporter.withdrawReports(['a', 'b'])).toEqual([
      { reportId: 'a', status: 'withdrawn' },
      { reportId: 'b', status: 'withdrawn' },
    ]);
    expect(sent[0]!.url).toBe('https://control.example/v1/reports/withdraw');
  });
});
