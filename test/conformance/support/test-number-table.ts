/**
 * The test numbers and their verdicts, repeated on purpose. They are a promise to client developers, and a test that read them
 * from the code would accept any change.
 */

/** 010-0000-00NN, in order, starting at 01. */
export const TEST_NUMBERS = [
  ['NUMBER_FORMAT_INVALID', 'block'],
  ['NUMBER_UNALLOCATED', 'block'],
  ['NUMBER_SUSPENDED', 'block'],
  ['NUMBER_TERMINATED', 'block'],
  ['SENDER_FORMAT_RULE', 'block'],
  ['SENDER_NOT_REGISTERED', 'block'],
  ['SENDER_IDENTITY_OPTOUT', 'block'],
  ['SENDER_REPORTED', 'block'],
  ['SENDER_UNQUALIFIED', 'block'],
  ['CERTIFICATE_EXPIRED', 'block'],
  ['CERTIFICATE_REVOKED', 'block'],
  ['CERTIFICATE_MISMATCH', 'block'],
  ['DOMESTIC_CLI_FROM_ABROAD', 'block'],
  ['MOBILE_CLI_NOT_ROAMING', 'block'],
  ['MOBILE_CLI_ROAMING_UNVERIFIED', 'label'],
  ['OVERSEAS_NUMBER_LISTED', 'block'],
  ['OVERSEAS_RANGE_LISTED', 'block'],
  ['OVERSEAS_SOURCE_LISTED', 'block'],
  ['SUBSCRIBER_DNO', 'block'],
  ['ALLOW_OVERRIDE', 'allow'],
  ['EMERGENCY_NEVER_BLOCKED', 'allow'],
  ['LIST_STALE', 'indeterminate'],
  ['LIST_UNAVAILABLE', 'indeterminate'],
  ['TEST_NUMBER', 'allow'],
  ['OVERSEAS_ORIGIN', 'label'],
  ['NUMBER_AMBIGUOUS', 'indeterminate'],
  ['CERTIFICATE_INVALID', 'block'],
  ['CERTIFICATE_NOT_YET_VALID', 'block'],
  ['CERTIFICATE_SUSPENDED', 'block'],
  ['DELEGATION_MISSING', 'block'],
  ['DELEGATION_EXPIRED', 'block'],
  ['DELEGATION_REVOKED', 'block'],
  ['DELEGATION_SUSPENDED', 'block'],
  ['SENDER_SUSPENDED', 'block'],
  ['SENDER_RATE_REDUCED', 'label'],
  ['TOKEN_MISSING', 'block'],
  ['TOKEN_INVALID', 'block'],
  ['TOKEN_EXPIRED', 'block'],
  ['TOKEN_AUDIENCE', 'block'],
  ['TEXT_HOST_LISTED', 'block'],
  ['TEXT_CAMPAIGN', 'block'],
  ['TEXT_SUSPICIOUS', 'label'],
].map(([code, verdict], index) => {
  const last = String(index + 1).padStart(2, '0');
  return { code: code!, verdict: verdict!, written: `010-0000-00${last}`, e164: `+8210000000${last}` };
});
