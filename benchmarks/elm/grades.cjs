// The grades of the patients in a file, by ELM: node grades.cjs PATIENTS ROUNDS → the grades, and µs for each
const fs = require("fs");
const cql = require("cql-execution");

async function main([patients, rounds]) {
  const elm = JSON.parse(fs.readFileSync(`${__dirname}/last_step_of_the_grade.json`, "utf8"));
  const executor = new cql.Executor(new cql.Library(elm));
  const parameters = JSON.parse(fs.readFileSync(patients, "utf8"));
  const grade = async (values) => {
    const results = await executor.withParameters(values).exec(new cql.PatientSource([]));
    return results.unfilteredResults.Grade;
  };
  const grades = [];
  for (const values of parameters) grades.push(await grade(values));
  const began = process.hrtime.bigint();
  for (let round = 0; round < Number(rounds); round++) for (const values of parameters) await grade(values);
  const spent = Number(process.hrtime.bigint() - began) / 1000;
  console.log(JSON.stringify({ grades, microseconds: spent / (rounds * parameters.length) }));
}

main(process.argv.slice(2));
