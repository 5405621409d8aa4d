#!/usr/bin/env bash
# Writes passport.json: certificate chains made by OpenSSL 3.4 or newer, one for each thing that a chain can get wrong,
# and the key of the signer. Nothing of them is used outside of tests.
# usage: test/vectors/passport.sh > test/vectors/passport.json
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

# TN authorization lists: RFC 8226, section 9.
cat > extensions.cnf <<'END'
[req]
distinguished_name = name
[name]
[ca]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign
[last_ca]
basicConstraints = critical, CA:true, pathlen:0
keyUsage = critical, keyCertSign
[ca_without_usage]
basicConstraints = critical, CA:true
keyUsage = critical, digitalSignature
[narrow_ca]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign
1.3.6.1.5.5.7.1.26 = ASN1:SEQUENCE:narrow
[signer]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
1.3.6.1.5.5.7.1.26 = ASN1:SEQUENCE:all
[provider]
keyUsage = critical, digitalSignature
1.3.6.1.5.5.7.1.26 = ASN1:SEQUENCE:one_provider
[no_list]
keyUsage = critical, digitalSignature
[empty_list]
keyUsage = critical, digitalSignature
1.3.6.1.5.5.7.1.26 = ASN1:SEQUENCE:none
[letters]
keyUsage = critical, digitalSignature
1.3.6.1.5.5.7.1.26 = ASN1:SEQUENCE:word
[long_range]
keyUsage = critical, digitalSignature
1.3.6.1.5.5.7.1.26 = ASN1:SEQUENCE:beyond
[no_usage]
keyUsage = critical, keyAgreement
1.3.6.1.5.5.7.1.26 = ASN1:SEQUENCE:all
[constrained]
keyUsage = critical, digitalSignature
1.3.6.1.5.5.7.1.26 = ASN1:SEQUENCE:all
1.3.6.1.5.5.7.1.27 = ASN1:NULL
[unknown_critical]
keyUsage = critical, digitalSignature
1.3.6.1.5.5.7.1.26 = ASN1:SEQUENCE:all
1.2.3.4 = critical, ASN1:NULL
[all]
provider = EXP:0, IA5STRING:KT01
range = EXP:1, SEQUENCE:range
one = EXP:2, IA5STRING:8215881234
[range]
start = IA5STRING:82221230000
count = INTEGER:100
[one_provider]
provider = EXP:0, IA5STRING:KT01
[narrow]
range = EXP:1, SEQUENCE:narrow_range
[narrow_range]
start = IA5STRING:82221230050
count = INTEGER:1000
[word]
one = EXP:2, IA5STRING:82*1588
[beyond]
range = EXP:1, SEQUENCE:beyond_range
[beyond_range]
start = IA5STRING:82221230000
count = INTEGER:99999999999
[none]
END

# key <name> [curve]
key() { openssl ecparam -name "${2:-prime256v1}" -genkey -noout 2> /dev/null | openssl pkcs8 -topk8 -nocrypt -out "$1.key"; }
# sign <name> <extensions> <issuer> [from] [to] [digest]: a certificate for the key of the same name
sign() {
  openssl req -new -key "$1.key" -config extensions.cnf -subj "/C=KR/O=Test/CN=$1" -out "$1.csr" 2> /dev/null
  local by=(-CA "$3.pem" -CAkey "$3.key")
  [ "$3" = self ] && by=(-signkey "$1.key")
  openssl x509 -req -in "$1.csr" "${by[@]}" -extfile extensions.cnf -extensions "$2" "-${6:-sha256}" \
    -not_before "${4:-20260101000000Z}" -not_after "${5:-20460101000000Z}" -out "$1.pem" 2> /dev/null
}

for name in root other; do key $name; sign $name ca self; done
key middle; sign middle ca root
key last; sign last last_ca root
key narrow; sign narrow narrow_ca root
key powerless; sign powerless ca_without_usage root
key below; sign below ca last
for extensions in signer provider no_list empty_list letters long_range no_usage constrained unknown_critical; do
  key $extensions
  sign $extensions $extensions middle
done
# The same key everywhere, so that a test can sign with it.
for name in by_root by_narrow by_powerless by_below expired early sha384 p384 rsa by_old; do cp signer.key $name.key; done
sign by_root signer root
sign by_narrow signer narrow
sign by_powerless signer powerless
sign by_below signer below
sign expired signer middle 20260101000000Z 20261101000000Z
sign early signer middle 20270101000000Z
sign sha384 signer middle 20260101000000Z 20460101000000Z sha384
key p384 secp384r1; sign p384 signer middle
openssl genrsa -out rsa.key 2048 2> /dev/null; sign rsa signer middle
key old; sign old ca root 20260101000000Z 20261101000000Z
sign by_old signer old

for file in *.pem signer.key; do jq -Rs --arg name "$file" '{($name): .}' "$file"; done | jq -s add
