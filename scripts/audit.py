"""`make audit`: known vulnerabilities of the packages that run, secrets in the files, and licenses.

Exits 1 if something is found, and 3 if the index of vulnerabilities can't be reached: then nothing is known of them.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = Path(sys.executable).parent
# What only looks random or is called a password: the tests are full of such.
TOO_EAGER = ("KeywordDetector", "Base64HighEntropyString", "HexHighEntropyString")

EXAMPLES = r"//(user|site):password@|//postgres:postgres@"  # addresses of databases in documents and tests


def output_of(*command: str) -> str:
    ran = subprocess.run([str(TOOLS / command[0]), *command[1:]], cwd=ROOT, capture_output=True, text=True)
    return ran.stdout


def vulnerabilities() -> int:
    """Print those that are known of the pinned packages; return the exit status."""
    options = ("--requirement=requirements.txt", "--require-hashes", "--disable-pip", "--progress-spinner=off")
    said = output_of("pip-audit", *options, "--format=json")
    packages = json.loads(said)["dependencies"] if said else []
    unknown = [each["name"] for each in packages if "skip_reason" in each]
    for package in packages:
        for found in package.get("vulns", ()):
            mended = ", ".join(found["fix_versions"]) or "no version yet"
            print(f"  {package['name']} {package['version']}: {found['id']}, mended in {mended}")
    if not packages or unknown:
        print(f"  Not known of {len(unknown) or 'all'} packages: the index can't be reached from here.")
    status = 1 if any(package.get("vulns") for package in packages) else 3 if unknown or not packages else 0
    print("" if status else f"  None, in {len(packages)} packages.")
    return status


def secrets() -> int:
    """Print where a file under version control holds what looks like a secret; return the exit status."""
    disabled = [part for name in TOO_EAGER for part in ("--disable-plugin", name)]
    said = output_of("detect-secrets", "scan", *disabled, "--exclude-lines", EXAMPLES)
    results = json.loads(said)["results"]
    for file, found in results.items():
        print(*(f"  {file}:{each['line_number']}: {each['type']}" for each in found), sep="\n")
    print("" if results else "  None.")
    return 1 if results else 0


def licenses() -> None:
    names = re.findall(r"(?m)^([\w.-]+)==", (ROOT / "requirements.txt").read_text())
    print(output_of("pip-licenses", "--packages", *names))


def main() -> int:
    print("Known vulnerabilities:")
    vulnerable = vulnerabilities()
    print("Secrets in the files:")
    leaked = secrets()
    print("Licenses of the packages that run:")
    licenses()
    return leaked or vulnerable


if __name__ == "__main__":
    sys.exit(main())
