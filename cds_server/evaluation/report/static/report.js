"use strict";
// every option is data: nothing of a record is run, and without this script the tables say the same
const charts = JSON.parse(document.getElementById("charts").textContent);
const drawn = [];
document.documentElement.classList.add("drawn"); // a hidden place has no width
for (const { id, option } of charts) {
  const place = document.getElementById(id);
  place.style.height = `${place.dataset.height}px`;
  const chart = echarts.init(place, null, { renderer: "svg" });
  chart.setOption(option);
  drawn.push(chart);
}

const fit = () => drawn.forEach((chart) => chart.resize());
addEventListener("resize", fit);
addEventListener("beforeprint", fit);
addEventListener("afterprint", fit);
