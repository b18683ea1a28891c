module.exports = (output, context) => {
  return output.startsWith(context.vars.first);
};
module.exports.hasAnd = (output) => output.includes(' and ');
