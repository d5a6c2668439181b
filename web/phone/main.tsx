import { render } from 'preact'
import { Phone } from './phone.tsx'
import './phone.css'

const root = document.getElementById('phone')
if (root !== null) render(<Phone />, root)
