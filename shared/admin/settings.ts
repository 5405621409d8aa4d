/**
 * Bodies of the requests that replace the settings of the installation.
 */
import * as v from 'valibot';
import { canaryNumbersSchema } from '../enumeration/canary-numbers.ts';
import { policySchema } from '../policy/policy.ts';
import { guardSettingsSchema } from '../release/guard-settings.ts';
import { breakGlassSchema, reasonSchema } from '../schemas.ts';

const common = { breakGlass: breakGlassSchema, reason: reasonSchema };

/** `PUT /v1/admin/policy` */
export const putPolicySchema = v.strictObject({ policy: policySchema, ...common });
/** `PUT /v1/admin/guards` */
export const putGuardsSchema = v.strictObject({ guards: guardSettingsSchema, ...common });
/** `PUT /v1/admin/canaries`: all canary numbers. */
export const putCanariesSchema = v.strictObject({ numbers: canaryNumbersSchema, reason: reasonSchema });
