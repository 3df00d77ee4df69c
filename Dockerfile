# Spreekkamer in an image that holds one file: no shell, no package manager, no root.
#
#   docker build -t spreekkamer .

FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
# SQLite is C, so that cgo stays on, and everything is linked in. netgo and osusergo leave out
# the two parts of libc that cannot be linked in; extensions of SQLite are never loaded.
RUN CGO_ENABLED=1 go build -trimpath \
      -tags goolm,netgo,osusergo,sqlite_omit_load_extension \
      -ldflags '-s -w -linkmode external -extldflags "-static"' \
      -o /out/spreekkamer ./cmd/spreekkamer
# The directories a new volume takes its owner from.
RUN mkdir -p /out/data /out/registration /out/his

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/spreekkamer /spreekkamer
COPY --from=build --chown=10001:10001 /out/data /data
COPY --from=build --chown=10001:10001 /out/registration /registration
COPY --from=build --chown=10001:10001 /out/his /his
USER 10001:10001
# Relative names in the settings (keys, database) are in the volume. SQLite has no /tmp.
WORKDIR /data
ENV SQLITE_TMPDIR=/data
VOLUME ["/data"]
EXPOSE 29340
HEALTHCHECK --interval=30s --timeout=15s --start-period=60s --retries=3 \
  CMD ["/spreekkamer", "-c", "/config/config.yaml", "healthcheck"]
ENTRYPOINT ["/spreekkamer", "-c", "/config/config.yaml"]
CMD ["run"]
