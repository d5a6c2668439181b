import { test } from 'vitest'
import { messageForm, messagesPath } from '/work/main/tests/infra/twilio/webhook-fixture.ts'
import { createTestApp, toWebhookRequest } from '/work/main/tests/infra/http/test-app.ts'
import { parseForm } from '/work/main/src/infra/http/form-body.ts'
const toFields=(p)=>{const r=parseForm(Buffer.from(p)); return r.kind==='form'?Object.entries(r.form).toSorted(([a],[b])=>a<b?-1:1):r.kind}
test('x', async () => {
  const app = await createTestApp()
  const request = toWebhookRequest(messagesPath, messageForm)
  const signed = JSON.stringify(toFields(request.payload))
  const base=Buffer.from(request.payload)
  for (let i=0;i<base.length;i++) for (let byte=0; byte<256; byte++) { const b=Buffer.from(base); if(b[i]===byte) continue; b[i]=byte
    const a = await app.server.inject({...request,payload:b}); if(a.statusCode===200 && JSON.stringify(toFields(b))!==signed) console.log(i,byte,b.subarray(Math.max(0,i-20),i+20).toString(), JSON.stringify(toFields(b)).slice(0,10)) }
}, 300000)
