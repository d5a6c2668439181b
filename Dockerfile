# Build: every package of the lockfile and the pages. Run: what the service imports and nothing else, without rights.
# The image has no nats-server: set NATS_URL. docker-compose.yml is a whole deployment.

FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --include=dev --ignore-scripts --no-audit --no-fund
COPY . .
RUN node node_modules/vite/bin/vite.js build web --logLevel warn
# Node itself is one of the optional packages, and the image has it; another draws the charts as PNG.
RUN npm prune --omit=dev --ignore-scripts --no-audit --no-fund && rm -rf node_modules/node-linux-* node_modules/node-win-*

FROM node:24-slim
ENV NODE_ENV=production \
    DUOLOGUE_HOST=0.0.0.0 \
    DUOLOGUE_DATA_DIR=/data
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/bin ./bin
COPY --from=build /app/scripts/setup ./scripts/setup
COPY --from=build /app/supabase ./supabase
COPY --from=build /app/charts ./charts
COPY --from=build /app/web/dist ./web/dist
COPY --from=build /app/src ./src
RUN mkdir /data && chown node:node /data
VOLUME /data
USER node
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:3000/readyz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Node is process 1 and stops by itself on SIGTERM.
CMD ["node", "src/main.ts"]
