/**
 * Entry point of the control plane, the only writer. It hosts the coordinator, to which the edge binds.
 */
import { ADMIN_ROUTES } from './admin/routes.ts';
import { APPEAL_ROUTES } from './appeals/routes.ts';
import { sweep } from './cron.ts';
import type { ControlEnv } from './env.ts';
import { FEED_ROUTES } from './feed/routes.ts';
import { PROBLEMS } from './http/all-problems.ts';
import { appOf } from './http/app.ts';
import { METRICS_ROUTES } from './metrics/routes.ts';
import { NOTICE_ROUTES } from './notices/routes.ts';
import { describe, describeEvents } from './openapi.ts';
import { REGISTER_ROUTES } from './register/routes.ts';
import { REPORT_ROUTES } from './reports/routes.ts';

export { AppealStore } from './appeals/appeal-store.ts';
export { Coordinator } from './coordinator/coordinator.ts';
export { CredentialStore } from './credentials/credential-store.ts';
export { TextDrift } from './drift/text-drift.ts';
export { FeedStore } from './feed/feed-store.ts';
export { MetricTotals } from './metrics/metric-totals.ts';
export { NoticeRouter } from './notices/notice-router.ts';
export { NoticeStore } from './notices/notice-store.ts';
export { RegistrationStore } from './registrations/registration-store.ts';
export { Registry } from './registry/registry.ts';
export { ReportIntake } from './reports/report-intake.ts';
export { ReporterBudget } from './reports/reporter-budget.ts';
export { SubjectCounts } from './reports/subject-counts.ts';
export { ResponseDesk } from './response/response-desk.ts';
export { StatisticsStore } from './statistics/statistics-store.ts';
export { TextStore } from './text/text-store.ts';
export { ScanDetector } from './usage/scan-detector.ts';
export { UsageCounter } from './usage/usage-counter.ts';

export default {
  fetch: appOf(
    [
      ...ADMIN_ROUTES,
      ...REGISTER_ROUTES,
      ...REPORT_ROUTES,
      ...APPEAL_ROUTES,
      ...FEED_ROUTES,
      ...NOTICE_ROUTES,
      ...METRICS_ROUTES,
      { method: 'GET', path: '/openapi.json', handle: describe },
      { method: 'GET', path: '/asyncapi.json', handle: describeEvents },
    ],
    PROBLEMS,
  ),
  scheduled: sweep,
} satisfies ExportedHandler<ControlEnv>;
