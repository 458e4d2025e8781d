# make run: the site on this machine. make demo: invented submissions for it. make test: every check.
# make test-full: the same, with sixteen times as many random answer sets. make test-faults: the site under outages, kills
# and slow connections, half an hour. Each sets up what it needs.
PYTHON ?= python3
PORT ?= 8000
export PORT

# The catalogues as Django reads them, compiled. `manage.py makemessages --all` brings them up to date with the code.
CATALOGUES = $(patsubst %.po,%.mo,$(wildcard locale/*/LC_MESSAGES/django.po))

.NOTPARALLEL:
.PHONY: install run demo test test-full test-faults screenshots peers profile pins

install: .venv/run $(CATALOGUES)

run: install
	@exec .venv/bin/python -m intake_site.local

demo: install
	@HTTPS=off .venv/bin/python manage.py migrate --verbosity 0
	@HTTPS=off .venv/bin/python -m intake_site.demo $(if $(LOCAL),--local)

test: .venv/test $(CATALOGUES)
	@scripts/tools
	@scripts/gate

test-full: .venv/test $(CATALOGUES)
	@scripts/tools
	@scripts/gate --full

test-faults: .venv/test $(CATALOGUES)
	@scripts/tools faults
	@.venv/bin/python -m pytest --verbose tests/faults/[a-z]*.py

# The pictures in README.md, taken anew.
screenshots: .venv/test $(CATALOGUES)
	@scripts/tools
	@.venv/bin/python -m benchmarks.screenshots

# What benchmarks compare with (benchmarks/README.md), and where the time of a journey goes.
peers: .venv/test
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r benchmarks/requirements.txt

profile: .venv/test
	@.venv/bin/python -m benchmarks.profile

# The pinned packages, from the short lists in requirements*.in.
pins: .venv/test
	.venv/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header requirements.in requirements-build.in -o requirements.txt
	.venv/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header -c requirements.txt requirements-dev.in -o requirements-dev.txt
	.venv/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header -c requirements-dev.txt benchmarks/requirements.in -o benchmarks/requirements.txt

locale/%.mo: locale/%.po
	@.venv/bin/python -c 'import polib; polib.pofile("$<").save_as_mofile("$@")'

.venv/run: requirements.txt scripts/venv
	@PYTHON="$(PYTHON)" scripts/venv requirements.txt
	@touch $@

.venv/test: requirements-dev.txt scripts/venv
	@PYTHON="$(PYTHON)" scripts/venv requirements-dev.txt
	@touch .venv/run $@
