# The one image: `pgx` with the three services. Build it from the repository's root; only what .dockerignore lets through
# is seen. No BuildKit features, so that every builder can make it.
FROM python:3.13-slim AS build
WORKDIR /app
COPY deploy/requirements-runtime.lock requirements.lock deploy/
RUN python -m venv --without-pip /opt/pgx \
 && python -m pip --python /opt/pgx/bin/python install --no-cache-dir --disable-pip-version-check \
      --require-hashes --only-binary :all: --requirement deploy/requirements-runtime.lock \
 && find /opt/pgx -type d -name tests -prune -exec rm -rf {} +
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY schemas schemas
COPY knowledge knowledge
COPY runtime runtime
COPY services services
COPY cli cli
# setuptools, pinned like all the rest, installs our own packages where they are and leaves.
RUN awk '/^[^ ]/ { keep = /^setuptools==/ } keep' deploy/requirements.lock > deploy/setuptools.lock \
 && python -m pip --python /opt/pgx/bin/python install --no-cache-dir --disable-pip-version-check \
      --require-hashes --requirement deploy/setuptools.lock \
 && python -m pip --python /opt/pgx/bin/python install --no-cache-dir --disable-pip-version-check \
      --no-deps --no-build-isolation --editable . \
 && python -m pip --python /opt/pgx/bin/python uninstall --yes setuptools \
 && rm -rf deploy build \
 && /opt/pgx/bin/python -m compileall -q /app /opt/pgx/lib

FROM python:3.13-slim
COPY --from=build /opt/pgx /opt/pgx
COPY --from=build /app /app
ENV PATH=/opt/pgx/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
USER 10001:10001
ENTRYPOINT ["pgx"]
CMD ["--help"]
