# The tool in an image: docker build -t gh-backfill . && docker run --rm gh-backfill --help
# docs/docker.md has more; compose.yaml runs it beside a PostgreSQL.
FROM python:3.13-slim AS build
WORKDIR /source
RUN python -m venv /opt/gh-backfill
COPY requirements.txt requirements-build.txt ./
RUN /opt/gh-backfill/bin/pip install --no-cache-dir --require-hashes --requirement requirements.txt \
 && python -m pip install --no-cache-dir --require-hashes --requirement requirements-build.txt
COPY pyproject.toml README.md LICENSE ./
COPY gh_backfill gh_backfill
COPY supabase/migrations supabase/migrations
RUN python -m hatchling build --target wheel --directory /wheel \
 && /opt/gh-backfill/bin/pip install --no-cache-dir --no-deps --no-index /wheel/*.whl

FROM python:3.13-slim
# The embedded PostgreSQL, where no DATABASE_URL is set, and the logs of captures lie in the home of a user without rights.
RUN useradd --create-home --uid 10001 backfill
COPY --from=build /opt/gh-backfill /opt/gh-backfill
ENV PATH=/opt/gh-backfill/bin:$PATH PYTHONUNBUFFERED=1 GH_BACKFILL_HOME=/home/backfill/data
USER backfill
RUN mkdir /home/backfill/data
VOLUME /home/backfill/data
EXPOSE 8484
ENTRYPOINT ["gh-backfill"]
CMD ["work", "--forever"]
