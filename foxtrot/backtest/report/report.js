"use strict";
// Draws the charts and pages the trade list; all numbers come from the JSON element "data".
const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const PAGE_ROWS = 50;
const TRADE_SPAN = 120;

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const plain = (value, most = 10) => value.toLocaleString("en-US", { maximumFractionDigits: most });
const money = (value) => value.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const moment = (ms) => new Date(ms).toISOString().replace("T", " ").replace(/(\.000)?Z$/, "");

function themeOptions() {
  return {
    layout: {
      background: { color: colour("card") }, textColor: colour("quiet"), fontFamily: "system-ui, sans-serif",
      panes: { separatorColor: colour("line") },
    },
    grid: { vertLines: { color: colour("line") }, horzLines: { color: colour("line") } },
    rightPriceScale: { borderColor: colour("line") },
    timeScale: { borderColor: colour("line") },
  };
}

function makeChart(id) {
  const chart = LightweightCharts.createChart(byId(id), {
    autoSize: true,
    crosshair: { mode: LightweightCharts.CrosshairMode.Normal },
    localization: { locale: "en-GB", timeFormatter: (seconds) => moment(seconds * 1000) },
    timeScale: { timeVisible: true, secondsVisible: false, minBarSpacing: 0.001, rightOffset: 0 },
  });
  return chart;
}

function equityChart(series) {
  const chart = makeChart("equity");
  const price = { type: "custom", formatter: money, minMove: 0.01 };
  const line = chart.addSeries(LightweightCharts.AreaSeries, { lineWidth: 2, priceFormat: price, priceLineVisible: false });
  const percent = { type: "custom", formatter: (value) => `${value.toFixed(2)} %`, minMove: 0.01 };
  const falls = chart.addSeries(
    LightweightCharts.BaselineSeries,
    { baseValue: { type: "price", price: 0 }, lineWidth: 1, priceFormat: percent, priceLineVisible: false }, 1);
  line.setData(series.time.map((time, row) => ({ time, value: series.equity[row] })));
  falls.setData(series.time.map((time, row) => ({ time, value: series.drawdown[row] })));
  chart.panes()[0].setStretchFactor(2.6);
  chart.panes()[1].setStretchFactor(1);
  const legend = (row) => {
    byId("equity-legend").textContent =
      `${moment(series.time[row] * 1000)}   equity ${money(series.equity[row])}   drawdown ${series.drawdown[row].toFixed(2)} %`;
  };
  const rows = new Map(series.time.map((time, row) => [time, row]));
  chart.subscribeCrosshairMove((at) => legend(rows.get(at.time) ?? series.time.length - 1));
  legend(series.time.length - 1);
  byId("equity-all").onclick = () => chart.timeScale().fitContent();
  chart.timeScale().fitContent();
  return {
    recolour() {
      chart.applyOptions(themeOptions());
      line.applyOptions({ lineColor: colour("accent"), topColor: `${colour("accent")}55`, bottomColor: `${colour("accent")}08` });
      const bad = colour("bad");
      falls.applyOptions({
        bottomLineColor: bad, bottomFillColor1: `${bad}18`, bottomFillColor2: `${bad}66`,
        topLineColor: bad, topFillColor1: "transparent", topFillColor2: "transparent",
      });
    },
  };
}

function candleChart(candles, marks) {
  const chart = makeChart("candles");
  const format = { type: "price", precision: candles.decimals, minMove: 10 ** -candles.decimals };
  const series = chart.addSeries(LightweightCharts.CandlestickSeries, { priceFormat: format, priceLineVisible: false });
  series.setData(candles.time.map((time, row) => ({
    time, open: candles.open[row], high: candles.high[row], low: candles.low[row], close: candles.close[row],
  })));
  const markers = LightweightCharts.createSeriesMarkers(series, []);
  const fills = new Map();
  for (const [row, sign, count, quantity] of marks) {
    const text = `${sign > 0 ? "bought" : "sold"} ${plain(quantity)}${count > 1 ? ` in ${count} fills` : ""}`;
    fills.set(row, fills.has(row) ? `${fills.get(row)}, ${text}` : text);
  }
  const rows = new Map(candles.time.map((time, row) => [time, row]));
  const legend = (row) => {
    const ohlc = ["open", "high", "low", "close"].map((key) => `${key[0].toUpperCase()} ${candles[key][row].toFixed(candles.decimals)}`);
    byId("candles-legend").textContent =
      `${moment(candles.time[row] * 1000)}   ${ohlc.join("  ")}${fills.has(row) ? `   ${fills.get(row)}` : ""}`;
  };
  chart.subscribeCrosshairMove((at) => legend(rows.get(at.time) ?? candles.time.length - 1));
  const last = candles.time.length - 1;
  const show = (from, to) => chart.timeScale().setVisibleLogicalRange({ from, to });
  legend(last);
  byId("candles-all").onclick = () => chart.timeScale().fitContent();
  byId("candles-last").onclick = () => show(last - 200, last + 5);
  byId("candle-note").textContent =
    candles.merged > 1 ? `each candle is ${candles.merged} bars of ${candles.interval}` : `bars of ${candles.interval}`;
  const centre = marks.length ? marks[marks.length - 1][0] : last;
  show(Math.max(-5, centre - 2 * TRADE_SPAN), Math.min(last + 5, centre + TRADE_SPAN / 4));
  return {
    showTime(ms) {
      let low = 0, high = last;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if (candles.time[middle] * 1000 <= ms) low = middle; else high = middle - 1;
      }
      show(low - TRADE_SPAN / 2, low + TRADE_SPAN / 2);
      legend(low);
      byId("candles").scrollIntoView({ behavior: "smooth", block: "center" });
    },
    recolour() {
      const good = colour("good"), bad = colour("bad");
      chart.applyOptions(themeOptions());
      series.applyOptions({ upColor: good, downColor: bad, wickUpColor: good, wickDownColor: bad, borderVisible: false });
      markers.setMarkers(marks.map(([row, sign]) => ({
        time: candles.time[row], position: sign > 0 ? "belowBar" : "aboveBar", shape: sign > 0 ? "arrowUp" : "arrowDown",
        color: sign > 0 ? colour("accent") : colour("mild"), size: 1,
      })));
    },
  };
}

function tradeList(trades, onPick) {
  const kept = {
    all: () => true, closing: (trade) => trade[6] !== null, winning: (trade) => trade[6] > 0, losing: (trade) => trade[6] < 0,
  };
  const numbered = trades.map((trade, row) => [FIRST_TRADE + row + 1, trade]);
  let chosen = numbered, first = 0;
  const cell = (text, name) => {
    const element = document.createElement("td");
    element.textContent = text;
    if (name) element.className = name;
    return element;
  };
  const line = ([number, trade]) => {
    const [ms, instrument, sign, price, quantity, fee, profit] = trade;
    const row = document.createElement("tr");
    row.append(
      cell(plain(number)), cell(moment(ms)), cell(instrument), cell(sign > 0 ? "Buy" : "Sell"), cell(plain(price)), cell(plain(quantity)),
      cell(plain(fee, 6)), profit === null ? cell("") : cell(money(profit), profit > 0 ? "good" : profit < 0 ? "bad" : ""));
    row.onclick = () => onPick(ms);
    return row;
  };
  const draw = () => {
    const end = Math.min(first + PAGE_ROWS, chosen.length);
    byId("trade-rows").replaceChildren(...chosen.slice(first, end).map(line));
    byId("trade-range").textContent = chosen.length ? `${plain(first + 1)} to ${plain(end)} of ${plain(chosen.length)}` : "none";
    byId("trade-previous").disabled = first === 0;
    byId("trade-next").disabled = end === chosen.length;
  };
  byId("trade-previous").onclick = () => { first = Math.max(0, first - PAGE_ROWS); draw(); };
  byId("trade-next").onclick = () => { first += PAGE_ROWS; draw(); };
  byId("trade-filter").onchange = (event) => {
    chosen = numbered.filter(([, trade]) => kept[event.target.value](trade));
    first = 0;
    draw();
  };
  draw();
}

const charts = [equityChart(data.equity)];
const candles = data.candles && candleChart(data.candles, data.marks);
if (candles) charts.push(candles);
const recolour = () => charts.forEach((chart) => chart.recolour());
tradeList(data.trades, (ms) => candles && candles.showTime(ms));
recolour();
const dark = matchMedia("(prefers-color-scheme: dark)");
dark.addEventListener("change", recolour);
byId("theme").onclick = () => {
  const root = document.documentElement;
  const isDark = root.dataset.theme ? root.dataset.theme === "dark" : dark.matches;
  root.dataset.theme = isDark ? "light" : "dark";
  recolour();
};
