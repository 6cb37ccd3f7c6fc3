# The gateway as an image: built from the locked, hashed requirements; runs as a user without rights.
FROM python:3.13-slim AS build
WORKDIR /src
COPY requirements/run.txt requirements/run.txt
RUN python -m venv /opt/gateway \
 && /opt/gateway/bin/python -m pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements/run.txt
COPY pyproject.toml README.md LICENSE gateway.yaml ./
COPY gateway gateway
COPY maps maps
COPY partners partners
COPY samples samples
RUN /opt/gateway/bin/python -m pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation .

FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /workspace --create-home gateway
COPY --from=build /opt/gateway /opt/gateway
ENV PATH=/opt/gateway/bin:$PATH PYTHONUNBUFFERED=1 GATEWAY_WORKSPACE=/workspace
USER gateway
WORKDIR /workspace
VOLUME /workspace
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/health/ready', timeout=2)"]
ENTRYPOINT ["gateway"]
CMD ["serve"]
