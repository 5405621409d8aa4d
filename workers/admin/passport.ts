/**
 * `/v1/admin/passport/roots` and `/v1/admin/passport/certificates`: the data that verifies PASSporTs at gateways.
 */

import { removeSchema } from '../../shared/admin/change.ts';
import { putPassportCertificateSchema, putPassportRootSchema } from '../../shared/admin/passport.ts';
import { fieldError } from '../../shared/fields.ts';
import { ok } from '../../shared/result.ts';
import { problem } from '../http/reply.ts';
import { versionOf } from '../storage/precondition.ts';
import { forAdmins, forChanges } from './context.ts';
import { SEERS, storeOf } from './credentials.ts';

export const listRoots = forAdmins(SEERS, async (context) =>
  ok({ roots: await storeOf(context).passportRoots() }),
);

export const getRoot = forAdmins(SEERS, async (context) => {
  const roots = await storeOf(context).passportRoots();
  const found = roots.find(({ id }) => id === context.params.id);
  if (found === undefined) return problem('PASSPORT_ROOT_UNKNOWN', 'no root has this id');
  const { id, certificate, hosts } = found;
  context.reply.header('etag', `"${versionOf({ id, certificate, hosts })}"`);
  return ok(found);
});

export const putRoot = forChanges('issuers', putPassportRootSchema, async (context) => {
  const { body, change, condition, params } = context;
  if (body.root.id !== params.id) return fieldError('FIELD_VALUE', 'root.id', 'must be the id in the path');
  return storeOf(context).putPassportRoot(change, body.root, condition);
});

export const removeRoot = forChanges('issuers', removeSchema, async (context) =>
  storeOf(context).removePassportRoot(context.change, context.params.id!, context.condition),
);

export const listCertificates = forAdmins(SEERS, async (context) =>
  ok({ certificates: await storeOf(context).passportCertificates() }),
);

export const getCertificate = forAdmins(SEERS, async (context) => {
  const found = await storeOf(context).passportCertificate(context.params.id!);
  if (found === null) return problem('PASSPORT_CERTIFICATE_UNKNOWN', 'no certificate has this id');
  const { id, url, numbers, state } = found;
  context.reply.header('etag', `"${versionOf({ id, url, numbers, state })}"`);
  return ok(found);
});

export const putCertificate = forChanges('issuers', putPassportCertificateSchema, async (context) => {
  const { body, change, condition, params } = context;
  const { certificate } = body;
  if (certificate.id !== params.id)
    return fieldError('FIELD_VALUE', 'certificate.id', 'must be the id in the path');
  return storeOf(context).putPassportCertificate(change, certificate, condition);
});

export const removeCertificate = forChanges('issuers', removeSchema, async (context) =>
  storeOf(context).removePassportCertificate(context.change, context.params.id!, context.condition),
);
