raise SystemExit('nothing of this is ever run')
