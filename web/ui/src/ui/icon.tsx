// Small pictures. They never stand alone: a word is beside them, or a label on what holds them.
const shapes = {
  check: 'M3 8.5 6.5 12 13 4.5',
  pause: 'M5.5 3.5v9M10.5 3.5v9',
  phone: 'M3.2 2.5h2.6l1.2 3-1.6 1.2a8 8 0 0 0 3.9 3.9l1.2-1.6 3 1.2v2.6c0 .6-.5 1-1 1C7 13.500 2.500 9 2.200 3.500c0-.5.4-1 1-1Z',
  hangup: 'M1.800 9.800c3.800-3.700 8.600-3.700 12.400 0l-1.700 1.900-2.700-1.300V8.600a7 7 0 0 0-3.600 0v1.800l-2.700 1.300Z',
  hold: 'M5 4v8M11 4v8',
  transfer: 'M2.500 5.500h9M9 2.800l2.700 2.700L9 8.200M13.500 10.500h-9M7 7.800l-2.700 2.700L7 13.200',
  park: 'M5 13V3h3.700a2.900 2.900 0 0 1 0 5.800H5',
  bell: 'M4 11V7a4 4 0 0 1 8 0v4l1 1.200H3Zm2.800 2.500h2.400',
  pen: 'm3 13 .7-3L11 2.700l2.300 2.300L6 12.300Z',
  cup: 'M3 6h8v3.500A3.500 3.500 0 0 1 7.500 13h-1A3.500 3.500 0 0 1 3 9.500Zm8 1h1.300a1.400 1.400 0 0 1 0 2.800H11M5 2.300v1.500M8 2.300v1.500',
  alert: 'M8 3v6M8 12v.6',
  off: 'M4.500 4.500l7 7M11.500 4.500l-7 7',
  moon: 'M12.800 9.700A5.500 5.500 0 0 1 6.300 3.200a5.500 5.500 0 1 0 6.500 6.500Z',
  menu: 'M2.500 4.500h11M2.500 8h11M2.500 11.500h11',
  down: 'm4 6.500 4 4 4-4',
  keyboard: 'M1.500 4h13v8h-13ZM4 6.600h.5M7 6.600h.5M10 6.600h.5M12 6.600h.5M4.500 9.500h7',
  wide: 'M2.500 6V2.500H6M10 2.500h3.500V6M13.500 10v3.500H10M6 13.500H2.500V10',
  up: 'M8 13V3.500M4 7l4-4 4 4',
  swap: 'M3 6h9L9.500 3.500M13 10H4l2.500 2.500',
  close: 'm4 4 8 8M12 4l-8 8',
} as const;

export type IconName = keyof typeof shapes;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
      <path d={shapes[name]} />
    </svg>
  );
}
