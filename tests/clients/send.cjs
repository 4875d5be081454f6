// send.cjs CLIENT ADDRESS KEY COUNT PAUSE: numbered events through a real Node client.
const [, , name, address, key, count, pause] = process.argv
const from = (module) => require(require.resolve(module, { paths: [process.cwd()] }))
const errors = []
const sleep = (ms) => new Promise((done) => setTimeout(done, ms))
process.on('unhandledRejection', (error) => errors.push(String(error)))

const made = {
  segment() {
    const { Analytics } = from('@segment/analytics-node')
    const client = new Analytics({ writeKey: key, host: address, maxRetries: 30 })
    client.on('error', (error) => errors.push(String(error.code || error)))
    return {
      send: (number) =>
        client.track({
          userId: 'u_1', event: 'ping', properties: { number }, context: { groupId: 'acct_88' },
        }),
      close: () => client.closeAndFlush({ timeout: 60000 }),
    }
  },
  rudder() {
    const module = from('@rudderstack/rudder-sdk-node')
    const client = new (module.default || module)(key, {
      dataPlaneUrl: address, logLevel: 'none', maxQueueSize: 100000,
      // three quick tries, as it comes, last a second and a half: no server is back by then
      axiosRetryConfig: { retries: 40, retryDelay: () => 500 },
    })
    let waiting = 0
    return {
      send: (number) => {
        waiting += 1
        client.track(
          { userId: 'u_1', event: 'ping', properties: { number }, context: { groupId: 'acct_88' } },
          (error) => {
            waiting -= 1
            if (error) errors.push(String(error.message || error))
          },
        )
      },
      close: async () => {
        for (let n = 0; waiting && n < 120; n++) {
          client.flush()
          await sleep(500)
        }
      },
    }
  },
  posthog() {
    const { PostHog } = from('posthog-node')
    const client = new PostHog(key, { host: address, fetchRetryCount: 30, fetchRetryDelay: 1000 })
    client.on('error', (error) => errors.push(String(error)))
    return {
      send: (number) =>
        client.capture({
          distinctId: 'u_1', event: 'ping', properties: { number }, groups: { company: 'acct_88' },
        }),
      close: () => client.shutdown(60000),
    }
  },
}

;(async () => {
  const { send, close } = made[name]()
  for (let number = 0; number < Number(count); number++) {
    send(number)
    await sleep(Number(pause) * 1000)
  }
  await close()
  console.log(JSON.stringify(errors))
  process.exit(0)
})()
