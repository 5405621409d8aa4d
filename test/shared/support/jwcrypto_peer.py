"""Signs and verifies compact JWS with python3-jwcrypto. Reads a list of jobs as JSON, and prints one result for each."""
import json
import sys

from jwcrypto import jwk, jws


def sign(job):
    token = jws.JWS(job["payload"].encode())
    token.add_signature(jwk.JWK(**job["key"]), None, json.dumps(job["header"]), None)
    return token.serialize(compact=True)


def verify(job):
    token = jws.JWS()
    token.deserialize(job["token"])
    token.allowed_algs = [job["alg"]]
    token.verify(jwk.JWK(**job["key"]))
    return token.payload.decode()


def generate(job):
    return json.loads(jwk.JWK.generate(**job["kind"]).export_private())


JOBS = {"sign": sign, "verify": verify, "generate": generate}


def run(job):
    try:
        return JOBS[job["job"]](job)
    except Exception as error:
        return {"error": type(error).__name__}


json.dump([run(job) for job in json.load(sys.stdin)], sys.stdout)
