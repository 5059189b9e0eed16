# One image for every process: its command names the process (web, worker, beat, reconcile, migrate).
FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /app/.venv
# Before the product itself, so that the packages are not installed anew for every change of it.
COPY requirements.lock /app/
RUN /app/.venv/bin/pip install --require-hashes -r /app/requirements.lock
# As .dockerignore has it: only what runs.
COPY . /app
WORKDIR /app
# Collecting needs no secrets, but the settings refuse to start without: these are left behind in this layer.
# At the end the product's user may read all of it and change nothing, whatever umask the source was checked out with.
RUN DW_SECRET_KEY=build DW_INSTALLATION_ID=build DW_KEYS=build:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= DW_DATA_DIR=/tmp \
    DW_STATIC_ROOT=/app/staticfiles .venv/bin/python manage.py collectstatic --noinput \
    && .venv/bin/python -m compileall -q dispersed_web \
    && chmod -R a+rX,go-w /app

FROM python:3.13-slim
RUN groupadd --gid 10001 app && useradd --uid 10001 --gid app --no-create-home app \
    && install -d -o app -g app -m 700 /data
COPY --from=build /app /app
WORKDIR /app
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    DW_DATA_DIR=/data DW_STATIC_ROOT=/app/staticfiles
USER 10001:10001
VOLUME /data
EXPOSE 8000
ENTRYPOINT ["/app/bin/start"]
CMD ["web"]
