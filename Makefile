# `make` alone lists what there is; each target sets up what it needs.
PYTHON ?= python3
PORT ?= 8000
export PORT

# The catalogues as Django reads them, compiled. `manage.py makemessages --all` brings them up to date with the code.
CATALOGUES = $(patsubst %.po,%.mo,$(wildcard locale/*/LC_MESSAGES/django.po))

.NOTPARALLEL:
.PHONY: help install run demo test test-full test-faults audit screenshots peers profile pins

help: # lists these
	@awk -F ':.*# ' '/^[a-z-]+:.*# / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

install: .venv/run $(CATALOGUES) # the packages, and the words of each language; again after each update

run: install # the site on this machine, for its own browser (PORT=8001 for another port)
	@exec .venv/bin/python -m intake_site.local

demo: install # 300 invented submissions for it
	@HTTPS=off .venv/bin/python manage.py migrate --verbosity 0
	@HTTPS=off .venv/bin/python -m intake_site.demo $(if $(LOCAL),--local)

test: .venv/test $(CATALOGUES) # every check
	@scripts/tools
	@scripts/gate

test-full: .venv/test $(CATALOGUES) # the same with sixteen times as many random samples, in half an hour
	@scripts/tools
	@scripts/gate --full

test-faults: .venv/test $(CATALOGUES) # the site under outages, kills and slow connections, in half an hour
	@scripts/tools faults
	@.venv/bin/python -m pytest --verbose tests/faults/[a-z]*.py

audit: .venv/test # known vulnerabilities, secrets in the files, licenses of the packages
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-audit.txt
	@.venv/bin/python scripts/audit.py

screenshots: .venv/test $(CATALOGUES) # the pictures of the documents, taken anew
	@scripts/tools
	@.venv/bin/python -m benchmarks.screenshots

peers: .venv/test # what the benchmarks compare with (benchmarks/README.md)
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r benchmarks/requirements.txt

profile: .venv/test # where the time of a journey goes
	@.venv/bin/python -m benchmarks.profile

pins: .venv/test # the pinned packages anew, from the short lists in requirements*.in
	.venv/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header requirements.in requirements-build.in -o requirements.txt
	.venv/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header -c requirements.txt requirements-dev.in -o requirements-dev.txt
	.venv/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header -c requirements-dev.txt requirements-audit.in -o requirements-audit.txt
	.venv/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header -c requirements-dev.txt benchmarks/requirements.in -o benchmarks/requirements.txt

locale/%.mo: locale/%.po
	@.venv/bin/python -c 'import polib; polib.pofile("$<").save_as_mofile("$@")'

.venv/run: requirements.txt scripts/venv
	@PYTHON="$(PYTHON)" scripts/venv requirements.txt
	@touch $@

.venv/test: requirements-dev.txt scripts/venv
	@PYTHON="$(PYTHON)" scripts/venv requirements-dev.txt
	@touch .venv/run $@
