throw new Error('nothing of this is ever run');
