/**
 * Organisations, clients and tokens in the admin API.
 */
import * as v from 'valibot';
import { clientSchema } from '../clients.ts';
import { organisationSchema } from '../organisations.ts';
import { reasonSchema } from '../schemas.ts';
import { tokenSchema } from '../tokens.ts';

/**
 * Short codes that nobody may send from. Other codes that must stay reachable, such as hotlines, have owners that
 * send texts.
 */
const NEVER_OWNED: readonly string[] = ['112', '119'];

/** `PUT /v1/admin/clients/{id}`: the whole client. Its ID is also in the path. */
export const putClientSchema = v.strictObject({
  client: v.pipe(
    clientSchema,
    v.forward(
      v.check(
        ({ shortCodes }) => !shortCodes.some((code) => NEVER_OWNED.includes(code)),
        'must not include 112 or 119: nobody may send from them',
      ),
      ['shortCodes'],
    ),
  ),
  reason: reasonSchema,
});

/** `PUT /v1/admin/organisations/{id}`: the whole organisation. Its ID is also in the path. */
export const putOrganisationSchema = v.strictObject({
  organisation: organisationSchema,
  reason: reasonSchema,
});

export const putTokenSchema = v.strictObject({ token: tokenSchema, reason: reasonSchema });
