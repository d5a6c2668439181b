import { render } from 'preact'
import { ChartPage } from './chart-page.tsx'
import 'virtual:chart-drawing.css'
import './fonts.css'
import './chart.css'

const root = document.getElementById('charts')
if (root !== null) render(<ChartPage />, root)
