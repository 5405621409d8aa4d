/**
 * The tables of the credential store. docs/storage.md describes each. Every change appends a step; old steps never
 * change.
 */
import { NOTICE_OUTBOX_TABLES } from '../storage/notice-outbox.ts';
import { applySteps } from '../storage/schema-steps.ts';
import { SEALED_VALUES } from '../storage/sealed-values.ts';
import { ANCHORS, AUDIT_AND_ANSWERS, AUDIT_SUBJECT } from '../storage/store-tables.ts';
import { PASSPORT_TABLES } from './passport-rows.ts';

const STEPS: readonly string[] = [
  `CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

   CREATE TABLE issuers (id TEXT PRIMARY KEY, iss TEXT NOT NULL UNIQUE, document TEXT NOT NULL) WITHOUT ROWID;

   CREATE TABLE certificates (
     digest TEXT PRIMARY KEY,
     place INTEGER NOT NULL,
     organisation TEXT NOT NULL,
     issuer TEXT NOT NULL,
     signer TEXT NOT NULL,
     jws TEXT NOT NULL,
     alg TEXT NOT NULL,
     key BLOB NOT NULL,
     spans TEXT NOT NULL,
     nbf INTEGER NOT NULL,
     exp INTEGER NOT NULL,
     uri TEXT NOT NULL,
     idx INTEGER NOT NULL,
     status TEXT NOT NULL,
     held INTEGER NOT NULL,
     clients TEXT NOT NULL,
     reference TEXT,
     wanted TEXT NOT NULL,
     reported TEXT,
     registrations TEXT NOT NULL,
     reasons TEXT NOT NULL,
     created_at INTEGER NOT NULL
   );
   CREATE INDEX certificates_place ON certificates (place);
   CREATE INDEX certificates_organisation ON certificates (organisation, created_at, digest);
   CREATE INDEX certificates_status ON certificates (uri, idx);
   CREATE INDEX certificates_issuer ON certificates (issuer);
   CREATE INDEX certificates_exp ON certificates (exp);
   CREATE INDEX certificates_unreported ON certificates (organisation) WHERE reported IS NOT wanted;

   CREATE TABLE delegations (
     id INTEGER PRIMARY KEY,
     state TEXT NOT NULL,
     principal TEXT NOT NULL,
     agent TEXT NOT NULL,
     link TEXT NOT NULL,
     chain TEXT NOT NULL,
     nums TEXT NOT NULL,
     spans TEXT NOT NULL,
     scope TEXT NOT NULL,
     nbf INTEGER NOT NULL,
     exp INTEGER NOT NULL,
     alg TEXT,
     key BLOB,
     jws TEXT,
     digest TEXT UNIQUE,
     place INTEGER,
     created_at INTEGER NOT NULL,
     updated_at INTEGER NOT NULL
   );
   CREATE INDEX delegations_place ON delegations (place) WHERE place IS NOT NULL;
   CREATE INDEX delegations_principal ON delegations (principal, id);
   CREATE INDEX delegations_agent ON delegations (agent, id);
   CREATE INDEX delegations_exp ON delegations (exp);

   CREATE TABLE status_lists (
     uri TEXT PRIMARY KEY,
     issuer TEXT NOT NULL,
     iat INTEGER NOT NULL,
     exp INTEGER NOT NULL,
     ttl INTEGER,
     bits INTEGER NOT NULL,
     size INTEGER NOT NULL,
     deflated BLOB NOT NULL,
     pull_at INTEGER NOT NULL,
     failures INTEGER NOT NULL,
     problem TEXT
   );
   CREATE INDEX status_lists_pull ON status_lists (pull_at);

   CREATE INDEX delegations_ended ON delegations (id) WHERE state IN ('revoked', 'suspended');

   CREATE TABLE totals (name TEXT PRIMARY KEY, many INTEGER NOT NULL) WITHOUT ROWID;

   CREATE TABLE dirty (place INTEGER PRIMARY KEY, version INTEGER NOT NULL);

   ${SEALED_VALUES}

   CREATE TABLE uploads (
     organisation TEXT NOT NULL,
     kind TEXT NOT NULL,
     day INTEGER NOT NULL,
     used INTEGER NOT NULL,
     PRIMARY KEY (organisation, kind)
   ) WITHOUT ROWID;

   ${AUDIT_AND_ANSWERS}`,
  PASSPORT_TABLES,
  `DROP INDEX certificates_exp;
   CREATE INDEX certificates_exp ON certificates (exp, digest);
   ${NOTICE_OUTBOX_TABLES}`,
  ANCHORS + AUDIT_SUBJECT,
];

export function createTables(storage: DurableObjectStorage): void {
  applySteps(storage, STEPS);
}
