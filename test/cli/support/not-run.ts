/** Commands of documents that the test of documents does not run, with the reasons. */

const ACCOUNT = 'needs a Cloudflare account';
const RUNS_TESTS = 'runs tests, within a test';
const BENCH = 'takes minutes; .ci/run runs all benches with --small';
const GATEWAY = 'needs a gateway; test/gateways runs it';
const ONE_SHELL = 'needs another shell; test/cli/commands/completion.test.ts runs it';
const PERF = 'needs perf and root';
const PROMETHEUS = 'needs Prometheus; test/gateways runs it';
const CHECKPOINTS = 'needs a checkpoint of the cron; test/cli/commands/audit-checkpoints.test.ts runs it';
const DECISIONS =
  'needs decisions of rules; test/workers/response has them, and docs/joint-response.md runs the others';
const LATER = 'the partner is added later in the document; docs/joint-response.md runs it';
const APPEALS = 'needs an appeal; docs/joint-response.md and test/workers/appeals run it';
const FEED = 'needs another installation; test/cli/commands/feed.test.ts runs it';
const RECEIVER = 'needs a receiver; test/cli/commands/webhooks.test.ts runs it';
const NOTICES = 'needs a client and notices; test/workers/notices runs it';
const MONTH = 'needs a closed month; test/cli/commands/statistics.test.ts runs it';
const CAMPAIGNS = 'needs this campaign; test/cli/commands/text-campaigns.test.ts runs it';
const PERSONS = 'needs two persons; test/cli/commands/proposals.test.ts runs it';

/** Patterns of commands that do not run here, and the reason of each. `*` stands for any text. */
export const NOT_RUN: Readonly<Record<string, string>> = {
  'npm ci': 'downloads packages',
  'npm ci && npm start': 'downloads packages; .ci/start-smoke runs npm start',
  'npm ci && npm test': RUNS_TESTS,
  'npm start': '.ci/start-smoke runs it',
  'npm run check': RUNS_TESTS,
  'npm test': RUNS_TESTS,
  'npx vitest run *': RUNS_TESTS,
  'npm run format': 'changes the project',
  'npx wrangler *': ACCOUNT,
  'printf %s * | npx wrangler secret put *': ACCOUNT,
  'npx numgate push --remote': ACCOUNT,
  'npx numgate audit trim *': 'needs records older than a week; test/cli/commands/audit.test.ts runs it',
  'curl -fsS https://control.example.com/v1/audit/checkpoint *': CHECKPOINTS,
  'npx numgate audit verify * checkpoints.txt *': CHECKPOINTS,
  'openssl x509 *': 'needs a certificate of a client',
  'npx numgate clients set * --addresses 203*': 'needs Cloudflare in front; test/workers/edge runs it',
  // Approvals would make later commands wait.
  'npx numgate approvals set *': PERSONS,
  'npx numgate proposals show 12': PERSONS,
  'npx numgate approve *': PERSONS,
  'npx numgate reject *': PERSONS,
  'npx numgate proposals withdraw *': PERSONS,
  'npx numgate rule-blocks show 17': DECISIONS,
  'npx numgate rule-blocks approve *': DECISIONS,
  'npx numgate rule-blocks dismiss *': DECISIONS,
  'npx numgate rule-blocks confirm 19 *': DECISIONS,
  'npx numgate rule-blocks lift 20 *': DECISIONS,
  'npx numgate rule-blocks watch *': DECISIONS,
  'npx numgate appeals show 17': APPEALS,
  'npx numgate appeals claim 17': APPEALS,
  'npx numgate appeals accept 17 *': APPEALS,
  'npx numgate appeals reject 18 *': APPEALS,
  'npx numgate appeals watch': 'runs until Ctrl-C',
  'npx numgate statistics 2026-11*': MONTH,
  'curl -s $URL/v1/reports *': 'has a fixed time, which soon is too long ago; docs/joint-response.md reports',
  'npx numgate text drift --client *':
    'needs a client with texts; test/cli/commands/text-drift.test.ts runs it',
  'npx numgate feed pull *': FEED,
  'npx numgate feed verify *': FEED,
  'npx numgate build build/feed/*': FEED,
  'npx numgate clients remove kt-reports-1 *': LATER,
  'npx numgate partners * kt-reports*': LATER,
  'npx numgate webhooks test *': RECEIVER,
  'npx numgate webhooks replay *': RECEIVER,
  'npx numgate notices show 1 *': RECEIVER,
  'curl * $URL/v1/notices*': NOTICES,
  'curl * "$URL/v1/notices?*': NOTICES,
  'npx numgate text campaigns show c-17': CAMPAIGNS,
  'npx numgate text campaigns confirm c-17 *': CAMPAIGNS,
  'npx numgate text campaigns reject c-18 *': CAMPAIGNS,
  'npx numgate text campaigns revoke c-17 *': CAMPAIGNS,
  'npx numgate text campaigns import *': FEED,
  'source <(npx numgate completion zsh)': ONE_SHELL,
  'function numgate; *': ONE_SHELL,
  '*jose jw*': 'needs jq and jose; test/cli/feed/consumers.test.ts decrypts with such keys',
  'npm run bench -- *': BENCH,
  'MINIFLARE_WORKERD_V8_FLAGS=* npm start': PERF,
  'perf *': PERF,
  'apt-get install *': 'installs packages; .ci/run does',
  'prometheus *': PROMETHEUS,
  'promtool *': PROMETHEUS,
  'npx numgate passport *': 'needs a host with certificates; test/gateways runs it',
  'kamailio *': GATEWAY,
  'sipp *': GATEWAY,
  'bearerbox *': GATEWAY,
  'smsbox *': GATEWAY,
  'curl -s http://127.0.0.1:13013/*': GATEWAY,
  '*npx node examples/smpp/main.ts *': GATEWAY,
};

/** Why a command of a document does not run here; undefined if it runs. */
export function reasonNotToRun(command: string): string | undefined {
  const matches = (pattern: string): boolean =>
    new RegExp(
      `^${pattern
        .split('*')
        .map((text) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
        .join('.*')}$`,
      's',
    ).test(command);
  return Object.keys(NOT_RUN).find(matches);
}
