/** Made by web/vite.config.ts of the styles that exported charts carry. */
declare module 'virtual:chart-drawing.css'
