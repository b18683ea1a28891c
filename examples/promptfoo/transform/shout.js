module.exports = (output, context) => `${JSON.parse(output)[0].toUpperCase()}!`;
