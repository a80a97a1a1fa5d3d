# crs-cds for a container. See docs/operations.md for what to set and mount.
# A release is built on one base image, by the digest that deploy/release.sh was given (docs/release.md). No digest is
# typed in here, because it would soon name an image with known holes. Without one this builds on today's image.
ARG BASE_DIGEST
FROM python:3.13-slim${BASE_DIGEST:+@${BASE_DIGEST}} AS build
# `otel` for an image that can send spans (CRS_CDS_OTLP)
ARG REQUIREMENTS
WORKDIR /src
COPY requirements/build.txt requirements/run.txt requirements/otel.txt requirements/
RUN python -m venv /opt/crs-cds \
    && /opt/crs-cds/bin/pip install --no-cache-dir --require-hashes -r "requirements/${REQUIREMENTS:-run}.txt" \
    && python -m venv /opt/build \
    && /opt/build/bin/pip install --no-cache-dir --require-hashes -r requirements/build.txt
# what the wheel is made of is listed once, in .dockerignore
COPY . ./
RUN /opt/build/bin/pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /src/wheels . \
    && /opt/crs-cds/bin/pip install --no-cache-dir --no-deps /src/wheels/*.whl \
    && /opt/crs-cds/bin/pip uninstall --yes pip

FROM python:3.13-slim${BASE_DIGEST:+@${BASE_DIGEST}}
ARG BASE_DIGEST
LABEL org.opencontainers.image.licenses=Apache-2.0 org.opencontainers.image.base.digest=$BASE_DIGEST
# no one in particular: an orchestrator may choose another number
RUN install --directory --owner 10001 --group 10001 /var/lib/crs-cds
COPY --from=build /opt/crs-cds /opt/crs-cds
WORKDIR /srv/crs-cds
COPY gunicorn.conf.py ./
ENV PATH=/opt/crs-cds/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    CRS_CDS_DATABASE_URL=sqlite:////var/lib/crs-cds/decisions.sqlite
USER 10001:10001
VOLUME /var/lib/crs-cds
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health/live', timeout=4)"]
CMD ["gunicorn", "--bind", "0.0.0.0:8000", "wsgi:app"]
