/** The part for people who open the archive. */
export const README = `numgate evidence file

This archive contains what an installation of numgate keeps about one sender in one period: blocks and their causes,
reports by kind and day, notices, appeals, registrations, qualifications and credentials, with the records of the audit
log that prove them. It contains nothing about the people who reported, and nothing that appellants wrote.

manifest.json    the request, and the SHA-256 of every other file
manifest.jws     the same, signed by the installation (RFC 7515, ES256)
checkpoint.txt   the audit log at that time, signed (c2sp.org/tlog-checkpoint)
log.ndjson       records of the audit log; proofs.json has their inclusion proofs (RFC 6962)
chain-*.ndjson   records of the audit chains of other stores; anchors in log.ndjson cover them
subjects.json    the names of the sender in the records
keys.json        the keys of the installation, as it states them: to verify, get the keys from elsewhere

Verify it without the service:
  npx numgate evidence verify FILE --jwks jwks.json --checkpoint-key KEY

이 파일은 한 발신자에 대한 기록을 정해진 기간 동안 모은 것입니다. 차단과 그 근거, 유형별·일자별 신고 건수, 통지, 이의신청,
발신번호 등록, 전송자격, 증명서와 이를 입증하는 감사 기록이 들어 있습니다. 신고자에 관한 정보와 이의신청인이 쓴 내용은
들어 있지 않습니다. 위의 명령으로 서비스에 접속하지 않고 진위를 확인할 수 있습니다.
`;
